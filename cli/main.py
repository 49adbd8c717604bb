"""The command `dauerlauf`: which commands there are, and how an error becomes one sentence.

What each does is in the module it comes from. Modules with heavy imports are only loaded by the command that needs
them, so that `dauerlauf --help` and the supervisor stay quick and small.
"""

import errno
import sys
from collections.abc import Sequence

import typer
from rich.console import Console

from cli import lazy, up
from kit.errors import DauerlaufError, Invalid, Unavailable

_MENDABLE = {
    errno.ENOENT: "Check the path; the directory must be there.",
    errno.ENOTDIR: "Name a directory.",
    errno.EISDIR: "Name a file.",
    errno.ENOSPC: "Make room on the disk, then try again.",
    errno.EDQUOT: "Make room on the disk, then try again.",
    errno.EROFS: "Name a directory that can be written with --state-directory.",
    errno.EACCES: "Run as the user the file belongs to, or name another directory with --state-directory.",
}

app = typer.Typer(
    name="dauerlauf",
    help="Customer journeys as durable Temporal workflows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(up.up)
app.command()(up.status)
app.command()(up.down)


def main() -> None:
    """Runs the command; an error that people can mend is told in sentences on standard error, with exit code 1."""
    try:
        _demand_text(sys.argv[1:])
        lazy.register(app, sys.argv[1:])
        app()
    except DauerlaufError as error:
        _tell(error)
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        _tell(Unavailable(f"{error.filename or 'This machine'}: {error.strerror}.", remedy=_MENDABLE[error.errno]))
    else:
        return
    sys.exit(1)


def _demand_text(arguments: Sequence[str]) -> None:
    """Raise `Invalid` for bytes that are no text: nothing of ours bears such a name, and no database can be asked."""
    for argument in arguments:
        if not argument.isascii() and any("\ud800" <= letter <= "\udfff" for letter in argument):
            shown = argument.encode(errors="backslashreplace").decode()
            raise Invalid(
                f"'{shown}' is not UTF-8 text.", remedy="Write it in UTF-8; check the locale of the terminal."
            )


def _tell(error: DauerlaufError) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(error.message, style="bold red", markup=False)
    for problem in error.problems if isinstance(error, Invalid) else ():
        console.print(f"  {problem}", markup=False)
    if error.remedy:
        console.print(error.remedy, markup=False)
