"""`dauerlauf simulate`, as it is called."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest
import typer

from cli.simulation.command import simulate
from journeys.catalogue import catalogue
from journeys.reading.wording import Language
from kit.errors import Invalid, NotFound

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


class Told(Protocol):
    """Calls the command; returns its exit code and what it printed."""

    def __call__(self, *journeys: str | Path, **options: Any) -> tuple[int, str]: ...


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def call(*journeys: str | Path, **options: Any) -> tuple[int, str]:
        with pytest.raises(typer.Exit) as left:
            simulate([str(journey) for journey in journeys], **options)
        return left.value.exit_code, capsys.readouterr().out

    return call


@pytest.fixture
def journey_file(tmp_path: Path) -> Path:
    file = tmp_path / "tried.yaml"
    file.write_text(JOURNEY.replace("TEMPLATE", "voucher, voucher: {pool: first-order}"))
    return file


def test_a_journey_is_walked_with_a_script_and_a_contact(journey_file: Path, tmp_path: Path) -> None:
    (tmp_path / "events.yaml").write_text(EVENTS)
    (tmp_path / "ada.yaml").write_text("first_name: Ada\nlocale: en\ntime_zone: Asia/Tokyo\n")
    command = [str(Path(sys.executable).with_name("dauerlauf")), "simulate", str(journey_file)]
    command += ["--contact", str(tmp_path / "ada.yaml"), "--contact", "first_name=Grace"]
    command += ["--events", str(tmp_path / "events.yaml"), "--start", "2026-03-02 21:00"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "times in Asia/Tokyo" in done.stdout
    assert "Wed 4 Mar 2026 09:00    event page.viewed" in done.stdout
    assert "MAIL 'voucher': Grace, 10% off your next CD" in done.stdout
    assert "leaves: completed" in done.stdout


def test_without_a_script_the_contact_just_enters(journey_file: Path, told: Told) -> None:
    code, text = told(journey_file, start="2026-03-02 21:00")
    assert code == 0
    assert "Thu 5 Mar 2026 21:00    ask: wait for page.viewed, at most 2 days → timed_out" in text


def test_it_is_told_in_german_too(journey_file: Path, told: Told) -> None:
    _, text = told(journey_file, start="2026-03-02 21:00", language=Language.GERMAN)
    assert "Mo 2.3.2026 21:00       Ereignis order.placed" in text
    assert "ask: Auf das Ereignis „page.viewed“ warten, höchstens 2 Tage → timed_out" in text
    assert "verlässt die Journey: abgeschlossen" in text


def test_it_fails_where_the_journey_needs_attention(journey_file: Path, tmp_path: Path, told: Told) -> None:
    journey_file.write_text(JOURNEY.replace("TEMPLATE", "nobody-wrote-it"))
    (tmp_path / "events.yaml").write_text(EVENTS)
    code, text = told(journey_file, events=tmp_path / "events.yaml")
    assert code == 1
    assert "NEEDS ATTENTION: NotFound: There is no template 'nobody-wrote-it'." in text
    assert "In the end: needs attention at 'send-1'" in text


def test_openings_in_a_script_lead_to_the_time_of_a_mail(told: Told, tmp_path: Path) -> None:
    openings = "".join(f"  - {{at: 2030-01-0{day} 18:40, event: mail.opened}}\n" for day in range(1, 6))
    wait = '{best_time: {from: "08:00", to: "20:00", otherwise: "10:00"}}'
    for name, text in {
        "events.yaml": f"events:\n{openings}  - {{at: 2030-01-06 09:00, event: order.placed}}\n",
        "read.yaml": "{key: read, name: Read, owner: tests, entry: {event: order.placed}, steps: ["
        f"{{wait: {wait}}}, {{send: {{template: review-request}}}}]}}",
    }.items():
        (tmp_path / name).write_text(text)
    code, output = told(tmp_path / "read.yaml", events=tmp_path / "events.yaml", start="2030-01-01 09:00")
    assert code == 0, output
    assert "18:40 is when this contact reacts most from 08:00 to 20:00: 5 of the 5 times" in output
    assert "Sun 6 Jan 2030 18:40" in output


def test_a_mistake_is_told_in_a_sentence() -> None:
    with pytest.raises(NotFound, match="There is no journey 'nobody-knows-it'"):
        simulate(["nobody-knows-it"])
    with pytest.raises(Invalid, match="'tomorrow' is not a date and time"):
        simulate(["welcome"], start="tomorrow")
    with pytest.raises(Invalid, match="There is no file"):
        simulate(["welcome"], contact=["nowhere.yaml"])
    with pytest.raises(Invalid, match="attributes that cannot be used"):
        simulate(["welcome"], contact=["country=Atlantis"])


def test_every_shipped_journey_can_be_walked_as_it_is_and_all_in_one_call(told: Told) -> None:
    journeys = list(catalogue())
    code, output = told(*(journey.key for journey in journeys))
    assert code == 0, output
    walks = output.split("\n\n")
    assert len(walks) == len(journeys)
    for journey, walk in zip(journeys, walks, strict=True):
        assert f"{journey.name}: " in walk
        assert "Would be sent: " in walk
        agreed = "Made up: the contact agrees to sales by email, as the audience asks." in walk
        assert agreed is (journey.key == "contact-again")


def test_one_of_several_that_is_not_entered_is_enough_for_the_exit_code(told: Told) -> None:
    code, output = told("contact-again", "welcome", contact=["consents=[marketing]"])
    assert (code, output.count("Walked in"), "the contact is not in the journey" in output) == (1, 2, True)


def test_whoever_is_said_to_have_agreed_to_nothing_has_agreed_to_nothing_and_enters_nowhere(told: Told) -> None:
    code, output = told("contact-again", "welcome", contact=["consents=[]"])
    assert (code, output.count("the contact is not in the journey"), "Made up" in output) == (1, 2, False)
    assert "does not enter (audience): consent to marketing by email does not stand" in output


def test_a_list_that_the_audience_demands_is_made_up_unless_lists_are_spoken_of(told: Told) -> None:
    code, output = told("newsletter")
    assert code == 0
    assert "Made up: the contact is on the list 'newsletter', as the audience asks." in output
    code, output = told("newsletter", contact=["lists=[]"])
    assert (code, "Made up" in output) == (1, False)
