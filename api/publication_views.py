"""Publications, moves and outlooks as they are answered."""

from sqlalchemy.ext.asyncio import AsyncSession

from api.routers.journeys import version_view
from api.schemas.journeys import FindingView
from api.schemas.publication import MoveView, OutlookView, PublishedView, StepOutlookView
from crm.journeys import JourneyRepository
from crm.models.journey import VersionMove
from crm.publication import Coming, Publication
from journeys.migration import Inside
from journeys.outlook import Outlook


async def published_view(
    session: AsyncSession, key: str, publication: Publication, findings: list[FindingView]
) -> PublishedView:
    """What takes new contacts after a publication."""
    journeys = JourneyRepository(session)
    live, trial = await journeys.live(key), await journeys.trial(key)
    return PublishedView(
        key=key,
        live=version_view(live or publication.version),
        trial=version_view(trial) if trial is not None else None,
        before=publication.before,
        move=move_view(publication.move) if publication.move is not None else None,
        findings=findings,
    )


def move_view(move: VersionMove) -> MoveView:
    """A move and how far it has come."""
    ordered, moved, refused, gone = (number or 0 for number in (move.ordered, move.moved, move.refused, move.gone))
    waiting = ordered - moved - refused - gone
    return MoveView(
        id=move.id,
        from_version=move.from_version,
        to_version=move.to_version,
        inside=Inside(move.inside),
        mapping=move.mapping,
        timers=move.timers,
        ordered=ordered,
        moved=moved,
        refused=refused,
        gone=gone,
        waiting=waiting,
        done=move.ordered_at is not None and waiting == 0,
        last_refusal=move.last_refusal,
        created_at=move.created_at,
    )


def outlook_view(key: str, coming: Coming, outlook: Outlook | None, already: int | None) -> OutlookView:
    """What a publication of the version would do; nobody is inside where no version is live."""
    fates = {inside.value: outlook.fates(inside) if outlook else {} for inside in Inside}
    return OutlookView(
        key=key,
        old=outlook.old if outlook else None,
        new=coming.version,
        trial=coming.trial,
        count=outlook.count if outlook else 0,
        fitting_already=already,
        **fates,
        steps=[StepOutlookView.model_validate(step) for step in outlook.steps] if outlook else [],
        leaving_criteria=list(outlook.leaving_criteria) if outlook else [],
        problems=[
            FindingView(severity="error", field=problem.where, what=problem.what, remedy=problem.remedy)
            for problem in (outlook.problems if outlook else ())
        ],
    )
