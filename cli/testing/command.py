"""`dauerlauf test`: pytest with the plugin on an author's files."""

import importlib.util
import subprocess
import sys
from typing import Annotated

import typer

from kit.errors import Unavailable


def run_tests(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Test files or folders (the working directory without any); pytest's own options after `--`."
        ),
    ] = None,
) -> None:
    """Run the tests of journeys: pytest, with the fixture `journey`. Ends with pytest's exit code."""
    if importlib.util.find_spec("pytest") is None:
        raise Unavailable(
            "pytest is not installed here.", remedy="Install the extra `testing`: pip install 'dauerlauf[testing]'."
        )
    # In a process of its own: pytest must come first, or it cannot rewrite the assertions of what is imported already.
    command = [sys.executable, "-m", "pytest", *(paths or ["."])]
    raise typer.Exit(subprocess.call(command))  # noqa: S603 -- what the caller asked to run
