"""Commands that are imported only when they are called: `dauerlauf up` stays small, `--help` quick."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import typer


@dataclass(frozen=True)
class LazyCommand:
    """Where a command lives (`module:attribute`, a function or a Typer app) and what it does, in a sentence."""

    target: str
    summary: str


COMMANDS: Mapping[str, LazyCommand] = {
    "demo": LazyCommand("cli.demo.command:demo", "Run the main job on real purchases in a fresh state."),
    "check": LazyCommand("cli.authoring:check", "Check journey files: place, what is wrong, how to mend it."),
    "diagram": LazyCommand("cli.picturing:diagram", "Draw a journey, as Mermaid or SVG."),
    "read": LazyCommand("cli.picturing:read", "Read a journey in plain sentences, in German or English."),
    "simulate": LazyCommand(
        "cli.simulation.command:simulate", "Walk a journey with a pretended contact, over months in a moment."
    ),
    "test": LazyCommand(
        "cli.testing.command:run_tests", "Run the tests of journeys with pytest and its fixture `journey`."
    ),
    "try": LazyCommand("cli.tryouts:try_out", "Put a test user into a draft: real mails, before it is published."),
    "test-users": LazyCommand("cli.tryouts:app", "Contacts that may be put into drafts: add, remove, list them."),
    "publish": LazyCommand("cli.publishing:publish", "Publish journey files; --plan shows what it would do."),
    "promote": LazyCommand("cli.publishing:promote", "Give a version on trial all new contacts, or a larger share."),
    "rollback": LazyCommand("cli.publishing:rollback", "Have the version before take new contacts again."),
    "move": LazyCommand("cli.publishing:move", "Move those inside an older version to the live one, or out."),
    "moves": LazyCommand("cli.publishing:moves", "How far moves between versions have come."),
    "stop": LazyCommand("cli.steering:stop", "Have a journey take no new contacts; those inside finish, or are ended."),
    "pause": LazyCommand("cli.steering:pause", "Let nobody into a journey, and freeze everybody inside."),
    "resume": LazyCommand("cli.steering:resume", "Have a paused journey go on."),
    "release": LazyCommand("cli.steering:release", "End the running wait of everybody at a step now."),
    "skip": LazyCommand("cli.steering:skip", "Have everybody at a step leave it undone and go on."),
    "exit": LazyCommand("cli.steering:leave", "Have everybody at a step leave the journey."),
    "retry": LazyCommand("cli.steering:retry", "Have everybody at a step whose step failed try it again."),
    "stuck": LazyCommand("cli.stuck:stuck", "What is stuck, and what to do; exit code 1 where anything is."),
    "steerings": LazyCommand("cli.steering:steerings", "What was ordered for many at once, and how far it has come."),
    "suppress": LazyCommand(
        "cli.suppressing:suppress", "Never send to an address again; --lift takes it off the list."
    ),
    "publish-templates": LazyCommand(
        "cli.authoring:publish_templates", "Publish a folder of mail templates into the database."
    ),
    "publish-models": LazyCommand(
        "cli.points:publish_models", "Publish points models; --backfill matching tells journeys whom that lifts."
    ),
    "templates": LazyCommand("cli.pinning:templates", "Which version of each template a journey sends."),
    "refresh-templates": LazyCommand("cli.pinning:refresh", "Have journeys send the newest templates, where they fit."),
    "events": LazyCommand("cli.events:app", "Events that could not be applied: list them, queue them again."),
    "replay": LazyCommand("cli.replaying:replay", "Replay histories of a server against this code, before a deploy."),
    "keys": LazyCommand("cli.keys:app", "API keys: make, list and revoke them."),
    "api": LazyCommand("cli.production:api", "Serve the HTTP API."),
    "worker": LazyCommand("cli.production:worker", "Run workflows, activities, intake, relay and clocks."),
    "migrations": LazyCommand("cli.production:migrations_app", "The database's tables."),
    "temporal": LazyCommand("cli.production:temporal_app", "The Temporal namespace."),
}


def register(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Add the commands to the app: the one called by `arguments` for real, the others as their line in the help."""
    called = next((word for word in arguments if not word.startswith("-")), None)
    for name, command in COMMANDS.items():
        if name != called:
            app.command(name, help=command.summary)(_not_called)
            continue
        module, _, attribute = command.target.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, help=command.summary)
        else:
            app.command(name)(found)


def _not_called() -> None:
    raise AssertionError("a command is registered for real before it is called")
