"""Moving a contact to a lifecycle stage on behalf of a step. The rule is in `journeys.stages`."""

from sqlalchemy.ext.asyncio import AsyncSession

from activities.emitting import cause_of, enrollment_of, event_id_of, was_done
from crm.access import AuditRepository
from crm.stages import StageRepository, StageResult, Wanted
from journeys.stages import STAGE_CHANGED, StageMove
from workflows.ports import ActionResult, ChangeStage


async def change_stage(session: AsyncSession, request: ChangeStage) -> ActionResult:
    """Move the contact; a step back is audited."""
    if await was_done(session, request, STAGE_CHANGED):
        return ActionResult(result=StageMove.CHANGED, because=f"stage {request.to}")
    enrollment = await enrollment_of(session, request.enrollment_id)
    wanted = Wanted(
        to=request.to,
        event_id=event_id_of(request, STAGE_CHANGED),
        actor=f"journey:{enrollment.journey_key}",
        at=request.now,
        reason=request.reason,
        back=request.recycle,
        enrollment_id=enrollment.id,
        cause_event_id=await cause_of(session, request, enrollment),
    )
    done = await StageRepository(session).change(request.contact_id, wanted)
    if done.now.rank < done.before.rank:
        details = {"from": done.before, "to": done.now, "reason": request.reason, "enrollment": str(enrollment.id)}
        await AuditRepository(session).record(
            wanted.actor, "contact.stage_back", f"contact:{request.contact_id}", details
        )
    return ActionResult(result=done.move, because=told(done, request))


def told(done: StageResult, request: ChangeStage) -> str:
    """What came of it, in a sentence."""
    match done.move:
        case StageMove.CHANGED:
            return f"stage {done.now}, before {done.before}"
        case StageMove.UNCHANGED:
            return f"the stage is {done.now} already"
        case _:
            return f"the stage stays {done.now}: {request.to} would be a step back"
