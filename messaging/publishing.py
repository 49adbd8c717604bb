"""Publishing templates: all are read, checked and compiled first, then those that changed get a new version."""

from dataclasses import dataclass
from importlib.resources.abc import Traversable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kit.errors import Invalid
from messaging.compilation import compile_html, with_shared
from messaging.models import Template
from messaging.required_variables import required_variables
from messaging.template_checks import template_problems, variables_of
from messaging.template_source import LOCALES, TemplateSource, packaged_templates, read_templates

_LOCK = 0x7465_6D70_6C61_7465
"""Advisory lock of publishing: two processes that start together give one version, not two."""


@dataclass(frozen=True)
class PublishedTemplate:
    """The version a template now has, and whether this publication made it."""

    key: str
    version: int
    changed: bool


async def publish_templates(session: AsyncSession, sources: Traversable | None = None) -> list[PublishedTemplate]:
    """Publish every template of a folder (a `Path` will do); by default those that come with the product.

    Raises:
        Invalid: with every finding in every template. Nothing is published then.
    """
    compiled = compiled_templates(sources or packaged_templates())
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    return [await _publish(session, source, rows) for source, rows in compiled]


def checked_templates(folder: Traversable) -> list[TemplateSource]:
    """The templates of a folder, read, checked and tried out, without publishing them.

    Raises:
        Invalid: with every finding in every template.
    """
    return [source for source, _ in compiled_templates(folder)]


def compiled_templates(folder: Traversable) -> list[tuple[TemplateSource, list[Template]]]:
    """The templates of a folder, read and checked, each with its languages compiled, without version and not stored.

    Raises:
        Invalid: with every finding in every template.
    """
    sources = read_templates(folder)
    problems = [problem for source in sources for problem in template_problems(source)]
    compiled = []
    for source in [] if problems else sources:
        try:
            compiled.append((source, [compile_template(source, locale) for locale in LOCALES]))
        except Invalid as error:
            problems += error.problems
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise Invalid(f"The templates cannot be published ({count}). {problems[0]}", problems=problems)
    return compiled


def compile_template(source: TemplateSource, locale: str) -> Template:
    """One language of a template, compiled, without version and not yet stored.

    Raises:
        Invalid: what the MJML compiler refuses.
    """
    name = f"{locale}.mjml"
    place = source.path(name)
    html = compile_html(with_shared(source.texts[name], source.shared, place=place), place=place)
    subject, text = source.head.subject[locale], source.texts.get(f"{locale}.txt")
    return Template(
        key=source.key,
        locale=locale,
        message_class=source.head.message_class,
        subject=subject,
        html=html,
        text=text,
        variables=sorted(variables_of(subject, html, text or "")),
        required=sorted(required_variables(subject, html, text or "")),
        digest=source.digest,
    )


async def _publish(session: AsyncSession, source: TemplateSource, rows: list[Template]) -> PublishedTemplate:
    newest = select(Template.version, Template.digest).where(Template.key == source.key)
    stored = (await session.execute(newest.order_by(Template.version.desc()).limit(1))).one_or_none()
    if stored is not None and stored.digest == source.digest:
        return PublishedTemplate(source.key, stored.version, changed=False)
    version = stored.version + 1 if stored else 1
    for row in rows:
        row.version = version
    session.add_all(rows)
    await session.flush()
    return PublishedTemplate(source.key, version, changed=True)
