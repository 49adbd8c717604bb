"""Brings a database to the newest schema; as a process, `python -m cli.stack.migrate`, the one in `DATABASE_URL`.

The migrations themselves are in `migrations`.
"""

from importlib.util import find_spec

from alembic import command
from alembic.config import Config

from kit.settings import Settings


def configuration(database_url: str) -> Config:
    """Alembic's configuration for our migrations on one database (`postgresql://…`), wherever they are installed."""
    spec = find_spec("migrations")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    config = Config()
    config.set_main_option("script_location", next(iter(spec.submodule_search_locations)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str) -> None:
    """Runs every migration the database lacks. Blocking; safe to repeat."""
    command.upgrade(configuration(database_url), "head")


if __name__ == "__main__":
    upgrade(Settings().database_url)
