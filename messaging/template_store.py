"""Published templates: the newest version of one in the best language, and what is known of all of them."""

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from journeys.findings import KnownTemplate
from kit.errors import NotFound
from messaging.models import Template

Found = TypeVar("Found")


async def known_templates(session: AsyncSession) -> dict[str, KnownTemplate]:
    """Every published template by key, as of its newest version; what all its languages require together."""
    columns = select(Template.key, Template.version, Template.message_class, Template.required)
    rows = (await session.execute(columns.order_by(Template.key, Template.version))).all()
    newest = {row.key: row.version for row in rows}
    found: dict[str, KnownTemplate] = {}
    for row in rows:
        if row.version == newest[row.key]:
            earlier = found[row.key].required if row.key in found else frozenset()
            found[row.key] = KnownTemplate(row.message_class, earlier | frozenset(row.required))
    return found


async def templates_at(session: AsyncSession, versions: Mapping[str, int]) -> dict[str, KnownTemplate]:
    """Of these templates (key → version) what all languages of that version require together."""
    columns = select(Template.key, Template.message_class, Template.required)
    rows = await session.execute(columns.where(tuple_(Template.key, Template.version).in_(list(versions.items()))))
    found: dict[str, KnownTemplate] = {}
    for row in rows:
        earlier = found[row.key].required if row.key in found else frozenset()
        found[row.key] = KnownTemplate(row.message_class, earlier | frozenset(row.required))
    return found


async def newest_template(session: AsyncSession, key: str, *, locale: str | None, default_locale: str) -> Template:
    """The newest version of a template in the language asked for, or else in the default language.

    Raises:
        NotFound: no such template has been published.
    """
    version = select(func.max(Template.version)).where(Template.key == key).scalar_subquery()
    rows = await session.scalars(select(Template).where(Template.key == key, Template.version == version))
    by_locale = {row.locale: row for row in rows}
    found = best_language(by_locale, locale, default_locale)
    if found is None:
        raise NotFound(f"There is no template {key!r}.", remedy="Publish it, then retry the step.")
    return found


def best_language(by_locale: Mapping[str, Found], locale: str | None, default_locale: str) -> Found | None:
    """What there is in the language asked for, else in the default language, else in any; None where there is nothing.

    Of a language such as `de-AT` only `de` counts.
    """
    wanted = (locale or "").lower().replace("_", "-").partition("-")[0]
    choices = (wanted, default_locale, *sorted(by_locale))
    return next((by_locale[choice] for choice in choices if choice in by_locale), None)
