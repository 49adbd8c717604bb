"""`dauerlauf publish --plan`, `--inside`, `--map`, `--share`, and `promote`, `rollback`, `move`, `moves`."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.picturing import diagram
from cli.pinning import templates
from cli.publishing import move, moves, promote, publish, rollback
from cli.steering import steerings
from crm.journeys import JourneyRepository
from journeys.outcomes import JourneyState
from kit.database import Sessions
from kit.errors import Conflict, Invalid, NotFound
from tests.integration.cli.test_authoring import GOOD, dauerlauf, here
from tests.support.builders import a_contact, an_enrollment

__all__ = ["here"]

WAITING = GOOD + "  - {id: pause, wait: 30000d}\n"


@pytest.fixture
async def file(here: Sessions, tmp_path: Path) -> Path:
    """A journey that is published, with two contacts waiting inside."""
    file = tmp_path / "hello.yaml"
    file.write_text(WAITING)
    await dauerlauf(publish, file)
    async with here.begin() as session:
        live = await JourneyRepository(session).live("hello")
        assert live is not None
        for _ in range(2):
            contact = (await a_contact(session)).id
            enrollment = await an_enrollment(session, contact, live, state=JourneyState.WAITING, step="pause")
            enrollment.due_at = enrollment.since
    return file


def rewrite(file: Path, text: str) -> None:
    """The author's next version."""
    file.write_text(text)


async def versions(here: Sessions) -> list[tuple[int, str, int | None]]:
    async with here() as session:
        return [(one.version, one.state, one.share) for one in await JourneyRepository(session).versions("hello")]


async def test_a_plan_shows_every_treatment_and_changes_nothing(here: Sessions, file: Path) -> None:
    rewrite(file, WAITING.replace("30000d", "1d"))
    code, output = await dauerlauf(publish, file, "--plan")
    assert code == 0
    head, *lines = output.splitlines()
    assert head == ("hello: version 2 would take the place of version 1, with 2 contacts inside. Nothing has changed.")
    assert [line.strip() for line in lines[:3]] == [
        "finish   2 finish in version 1",
        "migrate  2 go on in version 2",
        "stop     2 leave: stopped by version 2",
    ]
    assert [cell.strip() for cell in lines[4].split("  ") if cell.strip()] == [
        "pause",
        "2",
        "wait 30000 days",
        "pause",
        "wait 1 day",
        "2 end at once",
    ]
    assert lines[5].strip() == "pause: 2 contacts from Mon 02 Mar 2026 09:00 UTC to at once"
    assert await versions(here) == [(1, "live", None)]


async def test_a_plan_that_would_be_refused_says_why_and_ends_with_an_error(here: Sessions, file: Path) -> None:
    rewrite(file, GOOD)
    code, output = await dauerlauf(publish, file, "--plan", "--inside", "migrate")
    assert code == 1
    assert "migrate is refused: step 'pause': 2 contacts stand at it, and version 2 has no such step." in output
    code, output = await dauerlauf(publish, file, "--plan", "--inside", "migrate", "--map", "pause=send-1")
    assert code == 0
    assert "send-1 (arrives there)" in output
    assert await versions(here) == [(1, "live", None)]


async def test_a_plan_for_a_journey_nobody_is_inside(here: Sessions, tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text(GOOD.replace("hello", "brand-new"))
    code, output = await dauerlauf(publish, tmp_path / "new.yaml", "--plan")
    assert (code, output) == (0, "brand-new: version 1 would be the first one live; nobody is inside.\n")
    async with here() as session:
        assert await JourneyRepository(session).versions("brand-new") == []


async def test_a_plan_tells_whom_an_entry_by_silence_would_find_already(here: Sessions, tmp_path: Path) -> None:
    entry = "entry: {absence: {of: order.placed, for: 90d, also_without: true, backfill: matching}}"
    (tmp_path / "silent.yaml").write_text(f"key: silent\nname: S\nowner: crm\n{entry}\nsteps: [{{wait: 1d}}]\n")
    async with here.begin() as session:
        await a_contact(session)
    _, output = await dauerlauf(publish, tmp_path / "silent.yaml", "--plan")
    assert re.search(r"\d+ contacts? fits? the entry already: all of them come to its door \(`backfill`\)\.", output)


async def test_those_inside_are_moved_and_the_move_can_be_followed(here: Sessions, file: Path) -> None:
    rewrite(file, GOOD)
    with pytest.raises(Invalid, match="cannot migrate to version 2 as asked"):
        await dauerlauf(publish, file, "--inside", "migrate")
    assert await versions(here) == [(1, "live", None)]
    code, output = await dauerlauf(publish, file, "--inside", "migrate", "--map", "pause=send-1")
    assert code == 0
    assert output.startswith(
        "hello: version 2 is live. Those inside version 1 are migrating to it: `dauerlauf moves hello`.\n"
    )
    code, output = await dauerlauf(moves, "hello")
    number, _, line = output.partition(": ")
    assert number.isdigit()
    assert line == "from version 1 to version 2: 0 found, 0 moved, 0 refused, 0 had ended; 0 waiting so far.\n"


async def test_a_trial_is_begun_raised_promoted_and_rolled_back(here: Sessions, file: Path) -> None:
    rewrite(file, GOOD)
    _, output = await dauerlauf(publish, file, "--share", "5")
    assert output.startswith("hello: version 2 is live on trial with 5 % of the new contacts.\n")
    _, output = await dauerlauf(promote, "hello", "--share", "50")
    assert output == "hello: version 2 is live on trial with 50 % of the new contacts.\n"
    assert await versions(here) == [(2, "live", 50), (1, "live", None)]
    _, output = await dauerlauf(publish, file, "--plan")
    assert output.startswith(
        "hello: version 2, on trial with 50 %, would be promoted and take the place of version 1, "
    )
    _, output = await dauerlauf(publish, file, "--plan", "--share", "60")
    trial = "version 2 would take 60 % of the new contacts, on trial beside version 1, with 2 contacts inside"
    assert output == f"hello: {trial}, who stay in it. Nothing has changed.\n"
    _, output = await dauerlauf(promote, "hello")
    assert output == "hello: version 2 is live. Those inside version 1 finish in it.\n"
    _, output = await dauerlauf(rollback, "hello", "--inside", "stop")
    assert output == "hello: version 1 is live. Those inside version 2 are leaving: `dauerlauf moves hello`.\n"
    assert await versions(here) == [(2, "stopped", None), (1, "live", None)]
    with pytest.raises(Conflict, match="replaced none"):
        await dauerlauf(rollback, "hello")


async def test_an_older_version_is_emptied_later(here: Sessions, file: Path) -> None:
    rewrite(file, WAITING.replace("30000d", "1d"))
    await dauerlauf(publish, file)
    _, output = await dauerlauf(move, "hello", "--from", "1")
    assert output == "hello: version 2 is live. Those inside version 1 are migrating to it: `dauerlauf moves hello`.\n"
    assert await versions(here) == [(2, "live", None), (1, "finishing", None)]


@pytest.mark.usefixtures("file")
async def test_nobody_was_ever_moved() -> None:
    _, output = await dauerlauf(moves, "hello")
    assert output == "Nobody was ever moved between versions of hello.\n"


async def test_a_mapping_that_is_none_is_told(file: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        await dauerlauf(publish, file, "--inside", "migrate", "--map", "pause")
    assert refusal.value.problems[0].where == "--map pause"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", [moves, steerings, templates])
async def test_of_a_journey_that_does_not_exist_nothing_is_said_but_that(command: Callable[..., None]) -> None:
    with pytest.raises(NotFound, match="no journey nobody"):
        await dauerlauf(command, "nobody")


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("version", [-1, 0, 2**31])
async def test_a_version_no_journey_can_have_is_a_wrong_option(version: int) -> None:
    assert (await dauerlauf(move, "hello", "--from", version))[0] == 2
    assert (await dauerlauf(diagram, "hello", "--live", "--version", version))[0] == 2
