"""Segments in files: checks know them, and simulations judge by them."""

from pathlib import Path

import pytest
import typer

from cli.authoring import check
from cli.segments import read_segments
from cli.simulation.command import simulate
from kit.errors import Invalid

JOURNEY = """
key: vips
name: For the best
owner: tests
entry: {segment: {entered: %s}}
steps: [{wait: 1d}]
"""
SEGMENT = """
key: vip
name: VIP
condition: {event: order.placed, within: 90d}
"""


@pytest.fixture
def segment_file(tmp_path: Path) -> Path:
    path = tmp_path / "vip-segment.yaml"
    path.write_text(SEGMENT)
    return path


@pytest.mark.parametrize(("named", "code"), [("vip", 0), ("vipp", 1)])
def test_a_misspelt_segment_is_found_where_segments_are_told(
    segment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], named: str, code: int
) -> None:
    journey = tmp_path / "vips.yaml"
    journey.write_text(JOURNEY % named)

    with pytest.raises(typer.Exit) as left:
        check([journey], segments=[segment_file])

    assert left.value.exit_code == code
    assert ("There is no segment 'vipp'. Did you mean 'vip'?" in capsys.readouterr().out) is bool(code)
    with pytest.raises(typer.Exit) as unknown:
        check([journey])
    assert unknown.value.exit_code == 0


@pytest.mark.parametrize(("asked", "word"), [("segment: vipp", "vipp"), ("score: {model: led, at_least: 1}", "led")])
def test_a_segment_that_asks_for_what_there_is_not_is_found(
    segment_file: Path, tmp_path: Path, asked: str, word: str
) -> None:
    journey = tmp_path / "vips.yaml"
    journey.write_text(JOURNEY % "vip")
    segment_file.write_text(SEGMENT.replace("event: order.placed, within: 90d", asked))

    with pytest.raises(Invalid, match=word) as refusal:
        check([journey], segments=[segment_file])
    assert str(refusal.value.problems[0]).startswith("segment vip, condition.")


@pytest.mark.xdist_group("simulate")
def test_without_a_script_the_contact_comes_into_the_segment(
    segment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journey = tmp_path / "vips.yaml"
    journey.write_text(JOURNEY % "vip")

    with pytest.raises(typer.Exit) as left:
        simulate([str(journey)], start="2026-03-02 10:00", segments=[segment_file])

    assert left.value.exit_code == 0
    assert "Mon 2 Mar 2026 10:00" in capsys.readouterr().out


def test_what_cannot_be_asked_of_everybody_is_told(segment_file: Path) -> None:
    circle = [{"key": key, "name": key, "condition": {"segment": other}} for key, other in (("a", "b"), ("b", "a"))]
    with pytest.raises(Invalid, match="The segments ask for one another: "):
        read_segments(circle)
    segment_file.write_text(SEGMENT.replace("{event: order.placed, within: 90d}", "{entry: plan}"))
    with pytest.raises(Invalid, match="a set of contacts is in none"):
        read_segments([segment_file])
    assert [one.key for one in read_segments([{"key": "x", "name": "x", "condition": {"all": []}}])] == ["x"]
