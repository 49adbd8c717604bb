"""`dauerlauf stop`, `pause`, `resume`, `release`, `skip`, `exit`, `steerings`."""

import pytest

from cli.steering import leave, pause, release, resume, skip, steerings, stop
from kit.database import Sessions
from kit.errors import Conflict, Invalid
from tests.integration.cli.test_authoring import dauerlauf, here
from tests.integration.cli.test_publishing import file, versions

__all__ = ["file", "here"]

pytestmark = pytest.mark.usefixtures("file")


async def test_a_journey_is_paused_and_resumed_and_what_was_ordered_is_listed() -> None:
    assert (await dauerlauf(pause, "hello", "--reason", "the shop is down"))[0] == 0
    with pytest.raises(Conflict, match="paused already"):
        await dauerlauf(pause, "hello")
    await dauerlauf(resume, "hello", "--timers", "drop_if_late")
    _, output = await dauerlauf(steerings, "hello")
    assert [line.partition(": ")[2] for line in output.splitlines()] == [
        "resume (drop_if_late) by cli: 0 found, 0 carried out, 0 refused, 0 had ended; 0 waiting so far.",
        "pause by cli: 0 found, 0 carried out, 0 refused, 0 had ended; 0 waiting so far.",
    ]


async def test_a_stopped_journey_says_what_becomes_of_those_inside(here: Sessions) -> None:
    _, output = await dauerlauf(stop, "hello")
    assert output == "hello: takes no new contacts any more. 2 contacts inside finish.\n"
    assert await versions(here) == [(1, "finishing", None)]
    _, output = await dauerlauf(stop, "hello", "--inside", "stop")
    assert output.startswith("hello: takes no new contacts any more. 2 contacts inside are being ended")
    assert "0 messages were with the carrier already" in (await dauerlauf(steerings, "hello"))[1]
    with pytest.raises(Invalid, match="no version to migrate to"):
        await dauerlauf(stop, "hello", "--inside", "migrate")


async def test_those_at_a_step_are_counted_or_steered() -> None:
    _, output = await dauerlauf(release, "hello", "pause", "--plan", "--due-before", "2026-04-01", "--limit", "1")
    assert output == "hello: release would find 1 contact at pause. Nothing has changed.\n"
    for command, name in ((release, "release"), (skip, "skip"), (leave, "exit")):
        _, output = await dauerlauf(command, "hello", "pause")
        assert output == f"hello: {name} at pause is ordered: `dauerlauf steerings hello`.\n"


async def test_whom_it_is_about_may_be_a_condition() -> None:
    for where, found in (("{in_list: vip}", 0), ("{not: {in_list: vip}}", 2)):
        _, output = await dauerlauf(skip, "hello", "pause", "--plan", "--where", where)
        assert f"would find {found} contacts" in output
    with pytest.raises(Invalid, match="Did you mean `in_list`"):
        await dauerlauf(skip, "hello", "pause", "--where", "{in_lisst: vip}")


async def test_an_instant_that_is_none_is_said() -> None:
    with pytest.raises(Invalid, match="'soon' is no instant"):
        await dauerlauf(skip, "hello", "pause", "--due-before", "soon")


async def test_nothing_ordered_is_said() -> None:
    assert (await dauerlauf(steerings, "hello"))[1] == "Nothing was ever ordered for hello.\n"
