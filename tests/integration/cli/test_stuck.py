"""`dauerlauf stuck`, `dauerlauf retry`."""

import pytest

from cli.steering import leave, retry, skip, steerings
from cli.stuck import stuck
from kit.database import Sessions
from kit.errors import Invalid
from tests.integration.api.test_stuck import some_stuck
from tests.integration.cli.test_authoring import dauerlauf


@pytest.fixture
def here(sessions: Sessions, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    """An installation without a journey."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return sessions


async def test_what_is_stuck_is_told_and_monitoring_notices(here: Sessions) -> None:
    await some_stuck(here)
    code, output = await dauerlauf(stuck)
    assert code == 1
    lines = output.splitlines()
    assert lines[0].startswith("3 in welcome-test at mail: needs_attention, the first since ")
    assert lines[0].endswith(": no such template")
    assert lines[2].startswith("1 in welcome-test at pause: overdue")
    assert (await dauerlauf(stuck, "--each", "--kind", "overdue"))[1].count("\n") == 1
    assert (await dauerlauf(stuck, "--each", "--older-than", "36h"))[1].count("\n") == 2


async def test_where_nothing_is_stuck_monitoring_is_content(here: Sessions) -> None:
    await some_stuck(here, 1)
    assert await dauerlauf(stuck, "--older-than", "2d") == (0, "Nothing is stuck.\n")
    assert await dauerlauf(stuck, "--journey", "other") == (0, "Nothing is stuck.\n")


async def test_before_any_worker_has_run_that_is_told(here: Sessions) -> None:  # noqa: ARG001 - an empty database
    code, output = await dauerlauf(stuck)
    assert (code, output.partition(":")[0]) == (1, "unwatched, never until now")


async def test_what_is_no_duration_is_said(here: Sessions) -> None:  # noqa: ARG001 - an empty database
    with pytest.raises(Invalid, match="'soon' is no duration"):
        await dauerlauf(stuck, "--older-than", "soon")


async def test_those_who_failed_are_counted_and_retried_skipped_or_ended(here: Sessions) -> None:
    await some_stuck(here)
    for command in (retry, skip, leave):
        _, output = await dauerlauf(command, "welcome-test", "mail", "--plan", "--attention", "no such template")
        assert output.endswith("would find 3 contacts at mail. Nothing has changed.\n")
    assert "0 contacts" in (await dauerlauf(skip, "welcome-test", "pause", "--plan", "--parked"))[1]
    await dauerlauf(retry, "welcome-test", "mail", "--attention", "no such", "--reason", "mended")
    assert "retry at mail, those with 'no such' by cli" in (await dauerlauf(steerings, "welcome-test"))[1]
