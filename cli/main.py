"""The command `dauerlauf`: which commands there are, and how an error becomes one sentence.

What each does is in the module it comes from. Modules with heavy imports are only loaded by the command that needs
them, so that `dauerlauf --help` and the supervisor stay quick and small.
"""

import sys

import typer
from rich.console import Console

from cli import up
from kit.errors import DauerlaufError, Invalid

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
    """Runs the command; an error of ours is told in a sentence on standard error, with exit code 1."""
    try:
        app()
    except DauerlaufError as error:
        _tell(error)
        sys.exit(1)


def _tell(error: DauerlaufError) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(error.message, style="bold red", markup=False)
    for problem in error.problems if isinstance(error, Invalid) else ():
        console.print(f"  {problem}", markup=False)
    if error.remedy:
        console.print(error.remedy, markup=False)
