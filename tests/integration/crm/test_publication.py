"""Publishing says what becomes of those inside: shown beforehand, refused where somebody would be lost, noted."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.access import AuditRepository
from crm.journeys import JourneyRepository
from crm.models.journey import JourneyVersion, VersionState
from crm.publication import Publication, PublicationRepository
from journeys.migration import Inside, Timers, Treatment
from journeys.model import Journey
from journeys.outcomes import JourneyState
from journeys.outlook import Fate, Shift
from journeys.plan import compile_plan
from kit.errors import Conflict, Invalid, NotFound
from tests.support.builders import A_JOURNEY, SOME_DAY, a_contact, a_live_journey, an_enrollment

KEY = A_JOURNEY["key"]
DAY = timedelta(days=1)
FINISH, STOP, MIGRATE = (Treatment(inside) for inside in (Inside.FINISH, Inside.STOP, Inside.MIGRATE))
PAUSE: dict[str, Any] = {"id": "pause", "wait": "1d"}
MAIL: dict[str, Any] = {"id": "mail", "send": {"template": "welcome"}}


def definition(*steps: dict[str, Any], **parts: Any) -> Journey:
    return Journey.model_validate({**A_JOURNEY, "steps": list(steps), **parts})


async def publish(
    session: AsyncSession, journey: Journey, treatment: Treatment = FINISH, *, share: int | None = None
) -> Publication:
    await JourneyRepository(session).put_draft(journey)
    repository = PublicationRepository(session)
    return await repository.publish(KEY, by="ada", treatment=treatment, share=share, now=SOME_DAY)


async def states(session: AsyncSession) -> dict[int, str]:
    return {version.version: version.state for version in await JourneyRepository(session).versions(KEY)}


async def standing(session: AsyncSession, version: JourneyVersion, step: str = "pause", number: int = 1) -> None:
    for _ in range(number):
        enrollment = await an_enrollment(
            session, (await a_contact(session)).id, version, state=JourneyState.WAITING, step=step
        )
        enrollment.due_at = SOME_DAY + DAY if step == "pause" else None
    await session.flush()


LONGER = definition({"id": "pause", "wait": "3d"}, MAIL)
WITHOUT_PAUSE = definition(MAIL)


class TestLookingAhead:
    async def test_it_shows_who_stands_where_and_which_timers_move_and_changes_nothing(
        self, session: AsyncSession
    ) -> None:
        live = await a_live_journey(session)
        await standing(session, live, number=2)
        await standing(session, live, "mail")

        outlook = await PublicationRepository(session).outlook(KEY, compile_plan(LONGER, 2), MIGRATE, SOME_DAY)

        assert outlook is not None
        assert [(step.step, step.count, step.timers) for step in outlook.steps] == [
            ("pause", 2, {Shift.LATER: 2}),
            ("mail", 1, {}),
        ]
        assert outlook.fates(Inside.MIGRATE) == {Fate.MOVES: 3, Fate.NO_TARGET: 0}
        assert await states(session) == {1: VersionState.LIVE}

    async def test_who_has_not_begun_yet_stands_at_the_first_step(self, session: AsyncSession) -> None:
        live = await a_live_journey(session)
        await an_enrollment(session, (await a_contact(session)).id, live, state=JourneyState.STARTING)
        outlook = await PublicationRepository(session).outlook(KEY, compile_plan(LONGER, 2), MIGRATE, SOME_DAY)
        assert outlook is not None
        assert [(step.step, step.count) for step in outlook.steps] == [("pause", 1)]

    async def test_who_has_ended_is_not_inside(self, session: AsyncSession) -> None:
        live = await a_live_journey(session)
        await an_enrollment(session, (await a_contact(session)).id, live, state=JourneyState.COMPLETED)
        outlook = await PublicationRepository(session).outlook(KEY, compile_plan(LONGER, 2), MIGRATE, SOME_DAY)
        assert outlook is not None
        assert outlook.count == 0

    async def test_a_journey_that_was_never_published_has_nobody_inside(self, session: AsyncSession) -> None:
        await JourneyRepository(session).put_draft(LONGER)
        assert await PublicationRepository(session).outlook(KEY, compile_plan(LONGER, 1), MIGRATE, SOME_DAY) is None


class TestPublishing:
    async def test_those_inside_finish_unless_something_else_is_asked(self, session: AsyncSession) -> None:
        await standing(session, await a_live_journey(session))
        publication = await publish(session, LONGER)
        assert (publication.version.version, publication.before, publication.move) == (2, 1, None)
        assert await states(session) == {1: VersionState.FINISHING, 2: VersionState.LIVE}

    @pytest.mark.parametrize(("treatment", "state"), [(MIGRATE, VersionState.FINISHING), (STOP, VersionState.STOPPED)])
    async def test_moving_those_inside_is_ordered_with_the_publication(
        self, session: AsyncSession, treatment: Treatment, state: VersionState
    ) -> None:
        await standing(session, await a_live_journey(session))
        move = (await publish(session, LONGER, treatment)).move
        assert move is not None
        assert (move.from_version, move.to_version, move.inside) == (1, 2, treatment.inside)
        assert await states(session) == {1: state, 2: VersionState.LIVE}
        newest, *_ = await AuditRepository(session).of(f"journey:{KEY}")
        assert (newest.actor, newest.action, newest.details["contacts"]) == ("ada", "journey.moved", 1)

    async def test_it_is_refused_while_a_vanished_step_holds_contacts_without_a_target(
        self, session: AsyncSession
    ) -> None:
        await standing(session, await a_live_journey(session), number=3)
        with pytest.raises(Invalid, match="cannot migrate to version 2") as refusal:
            await publish(session, WITHOUT_PAUSE, MIGRATE)
        (problem,) = refusal.value.problems
        assert (problem.where, problem.what) == (
            "step 'pause'",
            "3 contacts stand at it, and version 2 has no such step.",
        )

    async def test_a_mapping_gives_them_a_target(self, session: AsyncSession) -> None:
        await standing(session, await a_live_journey(session))
        treatment = Treatment(Inside.MIGRATE, {"pause": "mail"}, Timers.KEEP)
        move = (await publish(session, WITHOUT_PAUSE, treatment)).move
        assert move is not None
        assert (move.mapping, move.timers) == ({"pause": "mail"}, "keep")

    async def test_a_definition_that_is_live_already_moves_nobody(self, session: AsyncSession) -> None:
        await standing(session, await a_live_journey(session))
        publication = await publish(session, definition(PAUSE, MAIL), STOP)
        assert (publication.version.version, publication.before, publication.move) == (1, None, None)

    @pytest.mark.parametrize(
        ("treatment", "share", "what"),
        [
            (Treatment(Inside.FINISH, {"pause": "mail"}), None, "these finish"),
            (Treatment(Inside.STOP, {}, Timers.KEEP), None, "these stop"),
            (MIGRATE, 5, "stay in it"),
            (FINISH, 0, "0 is not a share"),
            (FINISH, 100, "100 is not a share"),
        ],
    )
    async def test_what_contradicts_itself_is_refused(
        self, session: AsyncSession, treatment: Treatment, share: int | None, what: str
    ) -> None:
        await a_live_journey(session)
        with pytest.raises(Invalid) as refusal:
            await publish(session, LONGER, treatment, share=share)
        assert what in refusal.value.problems[0].what
        assert ("together" in refusal.value.message) is (share not in {0, 100})


class TestTrial:
    async def test_both_versions_are_live_and_the_new_one_has_a_share(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        await publish(session, LONGER, share=5)
        journeys = JourneyRepository(session)
        live, trial = await journeys.live(KEY), await journeys.trial(KEY)
        assert (live and live.version, trial and trial.version, trial and trial.share) == (1, 2, 5)
        (summary,) = await journeys.page()
        assert summary.live == 1

    async def test_each_contact_always_enters_the_same_version(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        await publish(session, LONGER, share=30)
        journeys = JourneyRepository(session)
        contacts = [(await a_contact(session)).id for _ in range(60)]
        taking = [await journeys.taking(KEY, contact) for contact in contacts]
        assert {version.version for version in taking if version} == {1, 2}
        assert taking == [await journeys.taking(KEY, contact) for contact in contacts]

    async def test_the_share_grows_until_the_version_is_promoted(self, session: AsyncSession) -> None:
        await standing(session, await a_live_journey(session))
        await publish(session, LONGER, share=5)
        assert (await publish(session, LONGER, share=50)).version.share == 50
        repository = PublicationRepository(session)
        await repository.promote(KEY, by="ada", treatment=FINISH, share=80, now=SOME_DAY)
        promoted = await repository.promote(KEY, by="ada", treatment=MIGRATE, now=SOME_DAY)
        assert (promoted.version.version, promoted.version.share, promoted.version.replaces) == (2, None, 1)
        assert promoted.move is not None
        assert await states(session) == {1: VersionState.FINISHING, 2: VersionState.LIVE}

    async def test_publishing_wholly_what_is_on_trial_promotes_it(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        await publish(session, LONGER, share=5)
        await publish(session, LONGER)
        assert await states(session) == {1: VersionState.FINISHING, 2: VersionState.LIVE}

    @pytest.mark.parametrize("share", [None, 5])
    async def test_another_version_waits_until_the_trial_is_over(
        self, session: AsyncSession, share: int | None
    ) -> None:
        await a_live_journey(session)
        await publish(session, LONGER, share=5)
        with pytest.raises(Conflict, match="Version 2 of welcome-test is on trial with 5 %"):
            await publish(session, WITHOUT_PAUSE, share=share)

    async def test_another_entry_cannot_be_tried(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        with pytest.raises(Conflict, match="has another `entry`"):
            await publish(session, definition(PAUSE, entry={"event": "order.placed"}), share=5)

    async def test_a_first_version_cannot_be_tried(self, session: AsyncSession) -> None:
        with pytest.raises(Conflict, match="No version of welcome-test is live to share"):
            await publish(session, LONGER, share=5)

    async def test_without_a_trial_there_is_nothing_to_promote(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        with pytest.raises(Conflict, match="No version of welcome-test is on trial"):
            await PublicationRepository(session).promote(KEY, by="ada", treatment=FINISH, now=SOME_DAY)


class TestRollback:
    async def test_the_version_before_takes_new_contacts_again(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        await publish(session, LONGER)
        back = await PublicationRepository(session).rollback(KEY, by="ada", treatment=FINISH, now=SOME_DAY)
        assert (back.version.version, back.before) == (1, 2)
        assert await states(session) == {1: VersionState.LIVE, 2: VersionState.FINISHING}
        newest, *_ = await AuditRepository(session).of(f"journey:{KEY}")
        assert (newest.action, newest.details) == ("journey.rolled_back", {"version": 1, "given_up": 2})

    async def test_a_trial_that_is_rolled_back_may_send_its_contacts_back(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        trial = (await publish(session, LONGER, share=5)).version
        await standing(session, trial)
        move = (await PublicationRepository(session).rollback(KEY, by="ada", treatment=MIGRATE, now=SOME_DAY)).move
        assert move is not None
        assert (move.from_version, move.to_version) == (2, 1)
        assert await states(session) == {1: VersionState.LIVE, 2: VersionState.FINISHING}

    async def test_it_passes_over_versions_that_were_rolled_back(self, session: AsyncSession) -> None:
        repository = PublicationRepository(session)
        await a_live_journey(session)
        await publish(session, LONGER)
        await repository.rollback(KEY, by="ada", treatment=FINISH, now=SOME_DAY)
        await publish(session, WITHOUT_PAUSE)
        assert (await repository.rollback(KEY, by="ada", treatment=FINISH, now=SOME_DAY)).version.version == 1
        with pytest.raises(Conflict, match="Version 1 of welcome-test replaced none"):
            await repository.rollback(KEY, by="ada", treatment=FINISH, now=SOME_DAY)

    async def test_it_ends_moving_people_into_the_version_given_up(self, session: AsyncSession) -> None:
        await standing(session, await a_live_journey(session))
        await publish(session, LONGER, MIGRATE)
        repository = PublicationRepository(session)
        await repository.rollback(KEY, by="ada", treatment=MIGRATE, now=SOME_DAY)
        assert [(move.to_version, move.ordered_at is None) for move in await repository.moves(KEY)] == [
            (1, True),
            (2, False),
        ]


class TestMoving:
    async def test_those_inside_an_older_version_can_be_moved_later(self, session: AsyncSession) -> None:
        await standing(session, await a_live_journey(session))
        await publish(session, LONGER)
        repository = PublicationRepository(session)
        move = (await repository.move(KEY, 1, by="ada", treatment=MIGRATE, now=SOME_DAY)).move
        assert move is not None
        assert (move.from_version, move.to_version) == (1, 2)
        assert await repository.inside(KEY) == {1: 1}

    async def test_the_version_that_takes_contacts_is_not_emptied(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        with pytest.raises(Conflict, match="Version 1 of welcome-test is live"):
            await PublicationRepository(session).move(KEY, 1, by="ada", treatment=STOP, now=SOME_DAY)

    async def test_an_unknown_version_is_not_found(self, session: AsyncSession) -> None:
        await a_live_journey(session)
        with pytest.raises(NotFound):
            await PublicationRepository(session).move(KEY, 9, by="ada", treatment=STOP, now=SOME_DAY)
