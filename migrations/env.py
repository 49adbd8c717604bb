"""How alembic finds the database and the tables. `DATABASE_URL` names the database, as everywhere else."""

import importlib
import pkgutil
from typing import Any

import sqlalchemy as sa
from alembic import context

import crm.models
from kit.database import Base, sqlalchemy_url
from kit.settings import Settings

for package in (crm.models,):
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
importlib.import_module("messaging.models")
importlib.import_module("intake.models")


def include_object(_item: Any, name: str | None, kind: str, _reflected: Any, _other: Any) -> bool:
    """Monthly partitions are made at run time; they belong to no model."""
    return not (kind == "table" and name is not None and name.startswith("events_"))


def database_url() -> str:
    """The URL given by the caller (`config.attributes["database_url"]`), or that of the environment."""
    given = context.config.attributes.get("database_url")
    return sqlalchemy_url(given or Settings().database_url)


def run() -> None:
    """Run the migrations, each in a transaction of its own."""
    engine = sa.create_engine(database_url(), poolclass=sa.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=include_object,
            compare_type=True,
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
