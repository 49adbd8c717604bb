import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from journeys.findings import KnownTemplate
from kit.database import Sessions
from kit.errors import Invalid, NotFound
from messaging.models import Template
from messaging.publishing import publish_templates
from messaging.template_source import packaged_templates, read_templates
from messaging.template_store import known_templates, newest_template

PACKAGED = Path(__file__).parents[3] / "messaging" / "templates"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the product's templates that a test may change."""
    return Path(shutil.copytree(PACKAGED, tmp_path / "templates"))


async def test_every_template_is_published_in_both_languages(session: AsyncSession) -> None:
    published = await publish_templates(session)
    assert {(template.version, template.changed) for template in published} == {(1, True)}
    rows = (await session.scalars(select(Template))).all()
    assert len(rows) == 2 * len(published)
    assert all("<mj-" not in row.html and "{{" in row.html for row in rows), "MJML is gone, Liquid remains"


async def test_publishing_the_same_again_makes_no_version(session: AsyncSession) -> None:
    await publish_templates(session)
    again = await publish_templates(session)
    assert {(template.version, template.changed) for template in again} == {(1, False)}


async def test_only_what_changed_gets_a_new_version(session: AsyncSession, folder: Path) -> None:
    await publish_templates(session, folder)
    head = folder / "welcome" / "template.yaml"
    head.write_text(head.read_text(encoding="utf-8").replace("Welcome to", "Well met at"), encoding="utf-8")
    changed = [template for template in await publish_templates(session, folder) if template.changed]
    assert [(template.key, template.version) for template in changed] == [("welcome", 2)]
    template = await newest_template(session, "welcome", locale="en", default_locale="de")
    assert (template.version, template.subject[:11]) == (2, "Well met at")


async def test_a_changed_shared_part_renews_the_templates(session: AsyncSession, folder: Path) -> None:
    await publish_templates(session, folder)
    footer = folder / "_shared" / "footer.de.mjml"
    footer.write_text(footer.read_text(encoding="utf-8").replace("28px", "30px"), encoding="utf-8")
    assert all(template.changed for template in await publish_templates(session, folder))


async def test_with_one_bad_template_none_is_published_and_all_findings_are_told(
    session: AsyncSession, folder: Path
) -> None:
    (folder / "welcome" / "en.mjml").unlink()
    german = folder / "voucher" / "de.mjml"
    german.write_text(german.read_text(encoding="utf-8").replace("</mj-body>", "{{ cart }}</mj-body>"))
    with pytest.raises(Invalid, match=r"cannot be published \(2 problems\)") as error:
        await publish_templates(session, folder)
    assert [problem.where.split(",")[0] for problem in error.value.problems] == ["voucher/de.mjml", "welcome/en.mjml"]
    assert await session.scalar(select(func.count()).select_from(Template)) == 0


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (None, "This file is missing."),
        ("class: marketing\nsubject: [", "line 2"),
        ("class: shouting\nsubject: {de: a, en: b}", "marketing"),
        ("klass: marketing\nsubject: {de: a, en: b}", "klass"),
    ],
)
async def test_a_head_that_cannot_be_read_says_where_and_why(
    session: AsyncSession, folder: Path, head: str | None, what: str
) -> None:
    file = folder / "welcome" / "template.yaml"
    if head is None:
        file.unlink()
    else:
        file.write_text(head, encoding="utf-8")
    with pytest.raises(Invalid) as error:
        await publish_templates(session, folder)
    problem = error.value.problems[0]
    assert problem.where.startswith("welcome/template.yaml")
    assert what in str(problem)


async def test_a_folder_without_templates_is_told(session: AsyncSession, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as error:
        await publish_templates(session, tmp_path)
    assert str(error.value.problems[0]) == "templates: There is no template. Add a folder with a template.yaml."


async def test_processes_that_start_together_make_one_version(sessions: Sessions) -> None:
    async def start() -> None:
        async with sessions.begin() as session:
            await publish_templates(session)

    await asyncio.gather(*(start() for _ in range(4)))
    async with sessions() as session:
        assert set(await session.scalars(select(Template.version))) == {1}


async def test_journeys_can_be_checked_against_what_is_known(session: AsyncSession) -> None:
    await publish_templates(session)
    known = await known_templates(session)
    assert set(known) == {source.key for source in read_templates(packaged_templates())}
    assert known["review-request"] == KnownTemplate("marketing", required=frozenset())
    stored = await session.scalar(select(Template).where(Template.key == "review-request", Template.locale == "en"))
    assert stored is not None
    assert stored.variables == [
        "contact.first_name",
        "entry.product_id",
        "entry.product_name",
        "sender.postal_address",
    ]


@pytest.mark.parametrize(
    ("wanted", "got"), [("en", "en"), ("en-GB", "en"), ("EN_us", "en"), ("fr", "de"), (None, "de"), ("", "de")]
)
async def test_the_language_of_the_contact_or_else_of_the_installation(
    session: AsyncSession, wanted: str | None, got: str
) -> None:
    await publish_templates(session)
    template = await newest_template(session, "welcome", locale=wanted, default_locale="de")
    assert template.locale == got


async def test_an_unknown_template_says_what_to_do(session: AsyncSession) -> None:
    with pytest.raises(NotFound, match=r"There is no template 'nope'\. Publish it"):
        await newest_template(session, "nope", locale="de", default_locale="de")
