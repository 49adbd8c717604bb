"""The demo as a newcomer runs it: it ends by itself, tells what it did, and leaves nothing running."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.stack.record import StackRecord
from tests.support.processes import those_alive

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]


def test_the_demo_runs_the_main_job_and_leaves_nothing_running(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    environment = {**os.environ, "COLUMNS": "160"}
    dauerlauf = str(Path(sys.executable).with_name("dauerlauf"))
    command = [dauerlauf, "demo", "--once", "--contacts", "6", "--state-directory", str(state)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for sentence in (
        "events accepted",
        "mails are in the inbox",
        "One contact crossed a threshold",
        "send 'voucher' by email → sent",
        "leaves: goal met: goal reached: review.created",
        "The stack has stopped",
    ):
        assert sentence in done.stdout, done.stdout
    record = StackRecord.read(state)
    assert those_alive([process.pid for process in record.processes]) == []
