"""A simulation decides what the product decides: the same stories on PostgreSQL with all of its parts, and without."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import groupby

import pytest
import pytest_asyncio

from cli.demo.life import STORIES, Stage, Story, open_stage, tell
from cli.testing.journey import OpenJourney
from journeys.describe import describe_node
from kit.settings import Settings
from tests.support.smtp import MailServer, mail_server

pytestmark = pytest.mark.xdist_group("agreement")


@pytest_asyncio.fixture(scope="module")
async def mails() -> AsyncIterator[MailServer]:
    """One server for all stories, as the demonstration has."""
    async with mail_server() as server:
        yield server


@pytest_asyncio.fixture(scope="module")
async def stage(database_url: str, mails: MailServer) -> AsyncIterator[Stage]:
    """One stage for all stories, each of another contact."""
    settings = Settings(database_url=database_url, smtp_port=mails.port)
    async with open_stage(settings) as stage:
        yield stage


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.journey}-{story.contact}")
async def test_a_story_goes_the_same_way(stage: Stage, mails: MailServer, journey: OpenJourney, story: Story) -> None:
    told_before = len(mails.mails)
    life = await tell(stage, story)
    async with journey(story.journey, contact={"email": None, "consents": []}, start=life.entered_at) as j:
        for after, happenings in groupby(story.happenings, lambda happening: happening.after):
            await j.advance_to(life.entered_at + after)
            await j._do(j._simulation.events([(one.event, one.properties) for one in happenings]))
        await j.finish()
        world = j._simulation.world
        (ride,) = world.rides.values()
        walked = [
            (describe_node(world.plan.nodes[one.step]), one.because or one.result or one.verdict.value)
            for one in ride.decisions.values()
        ]
        assert walked == [(moment.step, moment.result) for moment in life.moments]
        assert f"{ride.enrollment.state.replace('_', ' ')}: {ride.enrollment.outcome}" == life.outcome
        simulated = [mail.subject for mail in j.mails]
        assert [
            subject for mail in mails.mails[told_before:] if (subject := str(mail["Subject"])) in simulated
        ] == simulated
        for one, moment in zip(ride.decisions.values(), life.moments, strict=True):
            assert abs(one.at - moment.at) < timedelta(minutes=1)
        assert ride.enrollment.ended_at is not None
        assert abs(ride.enrollment.ended_at - life.ended_at) < timedelta(minutes=1)
