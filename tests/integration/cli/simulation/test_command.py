"""`dauerlauf simulate`, as it is called."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("simulate")

JOURNEY = """
key: tried
name: Tried out
owner: tests
entry: {event: order.placed, where: {amount: {at_least: 10}}}
steps:
  - id: pause
    wait: 1d
  - id: ask
    wait_for: {event: page.viewed, up_to: 2d}
    then: [{send: {template: TEMPLATE}}]
"""
EVENTS = """
events:
  - {event: order.placed, properties: {amount: 12}}
  - {after: 1d 12h, event: page.viewed}
"""


def simulate(*arguments: str | Path) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("dauerlauf")), "simulate", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def journey_file(tmp_path: Path) -> Path:
    file = tmp_path / "tried.yaml"
    file.write_text(JOURNEY.replace("TEMPLATE", "voucher"))
    return file


def test_a_journey_is_walked_with_a_script_and_a_contact(journey_file: Path, tmp_path: Path) -> None:
    (tmp_path / "events.yaml").write_text(EVENTS)
    (tmp_path / "ada.yaml").write_text("first_name: Ada\nlocale: en\ntime_zone: Asia/Tokyo\n")
    code, told = simulate(
        journey_file,
        *("--contact", tmp_path / "ada.yaml", "--contact", "first_name=Grace"),
        *("--events", tmp_path / "events.yaml", "--start", "2026-03-02 21:00"),
    )
    assert code == 0, told
    assert "times in Asia/Tokyo" in told
    assert "Wed 4 Mar 2026 09:00    event page.viewed" in told
    assert "MAIL 'voucher': Grace, 10% off your next CD" in told
    assert "leaves: completed" in told


def test_without_a_script_the_contact_just_enters(journey_file: Path) -> None:
    code, told = simulate(journey_file, "--start", "2026-03-02 21:00")
    assert code == 0, told
    assert "Thu 5 Mar 2026 21:00    ask: wait for page.viewed, at most 2 days → timed_out" in told


def test_it_fails_where_the_journey_needs_attention(journey_file: Path, tmp_path: Path) -> None:
    journey_file.write_text(JOURNEY.replace("TEMPLATE", "nobody-wrote-it"))
    (tmp_path / "events.yaml").write_text(EVENTS)
    code, told = simulate(journey_file, "--events", tmp_path / "events.yaml")
    assert code == 1
    assert "NEEDS ATTENTION: NotFound: There is no template 'nobody-wrote-it'." in told
    assert "In the end: needs attention at 'send-1'" in told


def test_it_fails_where_nobody_enters() -> None:
    code, told = simulate("welcome", "--contact", "consents=")
    assert code == 1
    assert "does not enter (audience): consent to marketing by email does not stand" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody-knows-it"], "There is no journey 'nobody-knows-it'"),
        (["welcome", "--start", "tomorrow"], "'tomorrow' is not a date and time"),
        (["welcome", "--contact", "nowhere.yaml"], "There is no file nowhere.yaml"),
        (["welcome", "--contact", "country=Atlantis"], "traits.country"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_mistake_is_told_in_a_sentence(arguments: list[str], sentence: str) -> None:
    code, told = simulate(*arguments)
    assert code == 1
    assert sentence in told
    assert "Traceback" not in told
