"""The commands each function of the workflow may issue are a baseline: a diff is a decision, not an accident."""

import ast
import json

from tests.replay.fingerprints import BASELINE, commands_of, fingerprints


def test_no_command_was_added_removed_or_moved_unnoticed() -> None:
    """If this is meant: keep old histories replayable (`workflow.patched`), then `python -m tests.replay.record`."""
    assert fingerprints() == json.loads(BASELINE.read_text())


def test_every_function_that_issues_commands_has_a_fingerprint() -> None:
    found = fingerprints()
    assert found["workflows/passage.py:act"] == ["start_activity_method", "_outcome"]
    assert found["workflows/steps/send.py:send"] == ["wait_until", "patched"]
    assert found["workflows/steps/send.py:_asked"] == ["act", "patched"]


def test_the_order_of_commands_is_part_of_the_fingerprint() -> None:
    there, back = (
        ast.parse(f"async def step():\n    await workflow.{first}()\n    await workflow.{second}()").body[0]
        for first, second in (("sleep", "execute_activity"), ("execute_activity", "sleep"))
    )
    assert isinstance(there, ast.AsyncFunctionDef)
    assert isinstance(back, ast.AsyncFunctionDef)
    assert commands_of(there) == commands_of(back)[::-1] == ["sleep", "execute_activity"]
