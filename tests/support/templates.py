"""The product's own templates in a test's database, compiled once for all tests of the process.

For tests of what is done with templates; publishing them has tests of its own.
"""

from functools import cache
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from messaging.models import Template
from messaging.publishing import compiled_templates
from messaging.template_source import packaged_templates

GIVEN = ("key", "locale", "message_class", "subject", "html", "text", "variables", "required", "digest")


@cache
def _rows() -> list[dict[str, Any]]:
    compiled = [row for _, rows in compiled_templates(packaged_templates()) for row in rows]
    assert {*GIVEN, "version"} <= {column.key for column in inspect(Template).columns}
    return [{name: getattr(row, name) for name in GIVEN} | {"version": 1} for row in compiled]


async def publish_shipped(session: AsyncSession) -> None:
    """As `publish_templates` leaves an empty table: all in version 1. Where they are there, nothing changes."""
    await session.execute(insert(Template).on_conflict_do_nothing(), _rows())
