"""Publishes what ships with the product into a database, as often as you like: templates, models, pools, journeys."""

from dataclasses import dataclass

from crm.journeys import JourneyRepository
from crm.scoring import ScoringRepository
from crm.vouchers import VoucherRepository
from journeys.catalogue import catalogue, models, pools
from journeys.checks import check
from journeys.findings import Severity
from journeys.rules.others import others_of
from kit.database import Sessions
from kit.errors import Invalid
from messaging.pins import TemplatePins
from messaging.publishing import publish_templates
from messaging.template_store import known_templates


@dataclass(frozen=True)
class Published:
    """What is live now, by key."""

    templates: tuple[str, ...]
    models: tuple[str, ...]
    journeys: tuple[str, ...]


async def publish_catalogue(sessions: Sessions) -> Published:
    """Publish templates, then models, pools and journeys, in one transaction. What is unchanged stays as it is.

    A voucher pool that is there already is left as it is: its value and limit may have been changed.
    """
    async with sessions.begin() as session:
        templates = await publish_templates(session)
        known = await known_templates(session)
        for model in models():
            await ScoringRepository(session).publish(model)
        await VoucherRepository(session).add_pools(pools())
        journeys = JourneyRepository(session)
        shipped = others_of([journey.key for journey in catalogue()], models(), all_known=True)
        for journey in catalogue():
            found = check(journey, known, beside=shipped)
            findings = [finding for finding in found if finding.severity is Severity.ERROR]
            if findings:
                raise Invalid(f"The shipped journey {journey.key} has errors.", problems=[f.problem for f in findings])
            await journeys.put_draft(journey)
            await TemplatePins(session).pin(await journeys.publish(journey.key, by="catalogue"))
    return Published(
        templates=tuple(sorted(template.key for template in templates)),
        models=tuple(sorted(model.key for model in models())),
        journeys=tuple(sorted(journey.key for journey in catalogue())),
    )
