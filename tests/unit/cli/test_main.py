"""The command line as people misuse it: a sentence on standard error and an exit code, never a trace."""

import sys
from pathlib import Path

import pytest

from cli.main import main


def dauerlauf(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the command."""
    monkeypatch.setattr(sys, "argv", ["dauerlauf", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_bytes_that_are_no_text_are_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert dauerlauf(monkeypatch, "pause", "a\udcff") == 1
    assert capsys.readouterr().err.splitlines()[0] == "'a\\udcff' is not UTF-8 text."


def test_a_picture_cannot_be_written_where_no_directory_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert dauerlauf(monkeypatch, "diagram", "welcome", "--output", str(tmp_path / "nowhere" / "welcome.svg")) == 1
    assert "No such file or directory" in capsys.readouterr().err
