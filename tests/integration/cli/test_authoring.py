"""`dauerlauf check`, `publish` and `publish-templates`: findings with line and remedy, all published or nothing."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.authoring import check, publish_templates
from cli.catalogue import publish_catalogue
from cli.points import publish_models
from cli.publishing import publish
from crm.journeys import JourneyRepository
from crm.scoring import ScoringRepository
from crm.vouchers import VoucherRepository
from journeys.catalogue import models, pools
from journeys.vouchers import VoucherPool
from kit.database import Sessions
from kit.errors import Invalid
from messaging.template_source import packaged_templates
from messaging.template_store import newest_template
from tests.support.templates import publish_shipped

runner = CliRunner()
CATALOGUE = Path(__file__).resolve().parents[3] / "journeys" / "catalogue"
GOOD = """
key: hello
name: Hello
owner: crm
entry: {event: contact.registered, audience: {consent: {purpose: marketing, channel: email}}}
steps:
  - send: {template: welcome}
"""


async def dauerlauf(command: Callable[..., None], *arguments: object) -> tuple[int, str]:
    """Run the command in a thread, since it has an event loop of its own; exit code and output."""
    app = typer.Typer()
    app.command()(command)
    result = await asyncio.to_thread(runner.invoke, app, [str(word) for word in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout


@pytest.fixture
async def here(sessions: Sessions, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    """An installation with the templates and points models that ship, and no journey yet."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "300")
    async with sessions.begin() as session:
        await publish_shipped(session)
        for model in models():
            await ScoringRepository(session).publish(model)
    return sessions


@pytest.fixture
async def shipped(here: Sessions) -> Sessions:
    """The same with everything that ships."""
    await publish_catalogue(here)
    return here


async def test_the_shipped_journeys_have_no_errors() -> None:
    code, output = await dauerlauf(check, CATALOGUE)
    assert code == 0, output
    assert "error" not in output


async def test_journeys_are_checked_together_too(tmp_path: Path) -> None:
    for key in ("one", "other"):
        text = GOOD.replace("key: hello", f"key: {key}") + "  - wait: 1d\n  - send: {template: win-back}\n"
        (tmp_path / f"{key}.yaml").write_text(text)
    code, output = await dauerlauf(check, tmp_path)
    assert code == 0
    assert "warning: journeys one, other: One contact can get 4 marketing messages within 7 days" in output


async def test_the_ways_through_a_journey_are_told(tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(GOOD + "  - wait_for: {event: order.placed, up_to: 2d}\n")
    code, output = await dauerlauf(check, "--ways", tmp_path)
    assert code == 0
    assert "Every way ends. It takes up to 2 days" in output
    assert "up to 2 days, 1 marketing message: enter on contact.registered → send 'welcome' by email → " in output
    assert "  2 days, 1 marketing message: " in output


async def test_a_mistake_is_told_with_file_line_and_remedy(tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(GOOD.replace("template: welcome", "template: welcom"))
    code, output = await dauerlauf(check, file)
    assert code == 1
    assert "hello.yaml, line 7, steps[0].send.template" in output


async def test_points_models_are_those_that_ship_and_those_that_are_named(tmp_path: Path) -> None:
    points = "  - score: {model: loyalty, add: 5, reason: Came.}\n"
    file, model = tmp_path / "hello.yaml", tmp_path / "models" / "loyalty.yaml"
    model.parent.mkdir()
    file.write_text(GOOD + points)
    model.write_text("key: loyalty\nname: Loyalty\nrules: [{key: order, event: order.placed, points: 1}]\n")
    code, output = await dauerlauf(check, file)
    assert (code, "There is no points model 'loyalty'." in output) == (0, True), "it may be in a database"
    code, output = await dauerlauf(check, file, "--models", model)
    assert (code, "points model" in output) == (0, False), output
    file.write_text(GOOD + points.replace("loyalty", "purchases"))
    assert (await dauerlauf(check, file))[0] == 0


async def test_a_file_that_is_no_journey_is_told_and_the_others_are_still_checked(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("key: [")
    (tmp_path / "b.yaml").write_text(GOOD)
    code, output = await dauerlauf(check, tmp_path)
    assert code == 1
    assert "a.yaml" in output
    assert "b.yaml: nothing to mend" in output


async def test_a_published_journey_takes_contacts(shipped: Sessions, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(GOOD)
    code, output = await dauerlauf(publish, file)
    first, *further = output.splitlines()
    assert (code, first) == (0, "hello: version 1 is live.")
    assert ["warning: journeys hello, " in line for line in further] == [True]
    async with shipped() as session:
        live = await JourneyRepository(session).live("hello")
    assert live is not None
    assert live.entry_event == "contact.registered"


@pytest.mark.usefixtures("here")
async def test_a_moment_that_has_passed_is_told_by_the_check_and_when_it_is_published(tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(GOOD.replace("event: contact.registered", "broadcast: {at: 2020-12-01 10:00}"))
    for command in (check, publish):
        code, output = await dauerlauf(command, file)
        assert (code, output.count("That moment has passed")) == (0, 1)


async def test_one_journey_with_an_error_keeps_all_from_being_published(here: Sessions, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("hello", "other").replace("template: welcome", "template: nope"))
    with pytest.raises(Invalid, match="other cannot be published"):
        await dauerlauf(publish, tmp_path)
    async with here() as session:
        assert await JourneyRepository(session).live("hello") is None


async def test_a_folder_of_templates_is_published_and_unchanged_ones_keep_their_version(here: Sessions) -> None:
    folder = Path(str(packaged_templates()))
    code, output = await dauerlauf(publish_templates, folder)
    assert code == 0
    assert "welcome: version 1" in output
    assert "(new)" not in output
    async with here() as session:
        assert (await newest_template(session, "welcome", locale="de", default_locale="de")).version == 1


async def test_what_nobody_knows_here_is_doubtful_to_a_check_and_refused_by_a_publication(
    here: Sessions, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(GOOD + "  - start: {journey: other}\n  - recompute_score: mine\n")
    code, output = await dauerlauf(check, tmp_path)
    assert (code, "error" in output) == (0, False)
    assert output.count("a.yaml, line 8, steps[1].start.journey: There is no journey 'other'.") == 1
    assert output.count("There is no points model 'mine'") == 1
    with pytest.raises(Invalid, match="hello cannot be published"):
        await dauerlauf(publish, tmp_path)
    async with here() as session:
        assert await JourneyRepository(session).live("hello") is None


async def test_journeys_and_points_models_that_are_given_are_known(tmp_path: Path) -> None:
    journeys = tmp_path / "journeys"
    journeys.mkdir()
    steps = "  - start: {journey: other}\n  - start: {journey: survey}\n"
    (journeys / "a.yaml").write_text(GOOD + steps + "  - recompute_score: mine\n  - recompute_score: purchases\n")
    (journeys / "b.yaml").write_text(GOOD.replace("hello", "other"))
    model = tmp_path / "mine.yaml"
    model.write_text("key: mine\nname: Mine\nrules:\n  - {key: opened, event: mail.opened, points: 1}\n")
    code, output = await dauerlauf(check, "--models", model, journeys)
    assert (code, output.count("nothing to mend")) == (0, 2)


@pytest.mark.usefixtures("here")
async def test_journeys_that_start_each_other_are_published_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD + "  - start: {journey: other}\n")
    (tmp_path / "b.yaml").write_text(GOOD.replace("hello", "other") + "  - start: {journey: hello}\n")
    code, output = await dauerlauf(publish, tmp_path)
    assert (code, "hello: version 1 is live." in output, "other: version 1 is live." in output) == (0, True, True)


async def test_an_authors_own_templates_are_known_and_go_before_those_that_ship(tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(GOOD + "  - send: {template: mine}\n")
    folder = tmp_path / "templates"
    shipped = Path(str(packaged_templates()))
    for name, copy in (("_shared", "_shared"), ("welcome", "mine"), ("order-confirmation", "welcome")):
        shutil.copytree(shipped / name, folder / copy)
    code, output = await dauerlauf(check, tmp_path)
    assert (code, "There is no template 'mine'." in output) == (1, True)
    code, output = await dauerlauf(check, "--templates", folder, tmp_path)
    assert (code, "nothing to mend" in output) == (0, True), output
    # What goes by the name of a shipped one is another now, and needs no consent.
    text = GOOD.replace(", audience: {consent: {purpose: marketing, channel: email}}", "")
    (tmp_path / "hello.yaml").write_text(text)
    assert (await dauerlauf(check, tmp_path))[0] == 1
    assert (await dauerlauf(check, "--templates", folder, tmp_path))[0] == 0


async def test_templates_that_could_not_be_published_are_told(tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(GOOD)
    (tmp_path / "templates" / "broken").mkdir(parents=True)
    with pytest.raises(Invalid):
        await dauerlauf(check, "--templates", tmp_path / "templates", tmp_path / "hello.yaml")


async def test_the_pools_of_the_shipped_journeys_are_made_once_and_then_left_alone(shipped: Sessions) -> None:
    async with shipped.begin() as session:
        vouchers = VoucherRepository(session)
        made = {standing.pool.key for standing in await vouchers.standing()}
        assert made == {pool.key for pool in pools()}
        await vouchers.put_pool(VoucherPool(key="welcome", value="20 %", limit=5))
    await publish_catalogue(shipped)
    async with shipped() as session:
        (welcome,) = await VoucherRepository(session).standing("welcome")
        assert (welcome.pool.value, welcome.left) == ("20 %", 5)


@pytest.mark.usefixtures("shipped")
async def test_a_journey_whose_voucher_pool_does_not_exist_is_not_published(tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(GOOD + "  - send: {template: voucher, voucher: {pool: wellcome}}\n")
    with pytest.raises(Invalid, match=r"hello cannot be published") as refused:
        await dauerlauf(publish, file)
    assert "There is no voucher pool 'wellcome'. Did you mean 'welcome'?" in str(refused.value.problems[0])


@pytest.mark.parametrize("command", [check, publish])
async def test_a_directory_without_a_journey_is_no_journey_in_order(
    tmp_path: Path, command: Callable[..., None]
) -> None:
    with pytest.raises(Invalid, match="no journey to look at"):
        await dauerlauf(command, tmp_path)


async def test_a_file_is_no_folder_of_templates(tmp_path: Path) -> None:
    (tmp_path / "welcome.mjml").touch()
    assert (await dauerlauf(publish_templates, tmp_path / "welcome.mjml"))[0] == 2


class TestPublishModels:
    """`dauerlauf publish-models`."""

    MODEL = "key: visits\nname: Visits\nrules: [{key: visit, event: page.viewed, points: 1}]\n"

    async def test_journeys_are_told_of_whom_a_version_lifts_only_where_that_is_asked_for(
        self, here: Sessions, tmp_path: Path
    ) -> None:
        file = tmp_path / "visits.yaml"
        file.write_text(self.MODEL)
        assert await dauerlauf(publish_models, file) == (0, "visits: version 1\n")
        assert not await self._tells(here)
        file.write_text(self.MODEL.replace("points: 1", "points: 2"))
        assert await dauerlauf(publish_models, file, "--backfill", "matching") == (0, "visits: version 2\n")
        assert await self._tells(here)

    async def _tells(self, sessions: Sessions) -> bool:
        async with sessions() as session:
            return (await ScoringRepository(session).demand_live("visits")).tells
