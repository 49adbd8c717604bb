"""A contact's lifecycle stage: move it as a person decides, and read how it got where it is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.acceptance import new_event_id
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.routers.contacts import existing
from api.schemas import contact_examples as examples
from api.schemas.contacts import StageAnswer, StageChangeView, StageInput
from api.schemas.fields import Page, sequence_number
from crm.access import AuditRepository, Scope
from crm.stages import StageRepository, StageResult, Wanted
from journeys.stages import StageMove
from kit.errors import Invalid, Problem

router = APIRouter(tags=["Contacts"], route_class=JsonRoute)


@router.post(
    "/v1/contacts/{contact_id}/stage",
    **operation(
        Scope.OPERATE,
        problems.UNKNOWN_CONTACT,
        body=True,
        summary="Move a contact to a lifecycle stage",
        operation_id="move_to_stage",
        response_model=StageAnswer,
        example=examples.STAGE_ANSWER,
    ),
)
async def move_to_stage(
    contact_id: UUID,
    request: Annotated[StageInput, Body(openapi_examples={"usual": {"value": examples.STAGE_REQUEST}})],
    *,
    session: SessionDep,
    access: AccessDep,
    clock: ClockDep,
) -> StageAnswer:
    """Forward, or with a reason back; audited. Journeys hear of it by the event `stage.changed`."""
    await existing(session, contact_id)
    wanted = Wanted(
        to=request.to,
        event_id=new_event_id(),
        actor=access.actor,
        at=clock(),
        reason=request.reason.strip(),
        back=bool(request.reason.strip()),
    )
    done = await StageRepository(session).change(contact_id, wanted)
    if done.move is StageMove.KEPT:
        what = f"From {done.now} to {request.to} is a step back."
        raise Invalid(what, problems=[Problem("/reason", what, "Give a reason.")], remedy="Give a reason.")
    await _audit(session, contact_id, wanted, done)
    return StageAnswer(result=done.move, stage=done.now, before=done.before)


@router.get(
    "/v1/contacts/{contact_id}/stages",
    **operation(
        Scope.READ,
        problems.UNKNOWN_CONTACT,
        summary="Read the stages a contact went through",
        operation_id="get_contact_stages",
        response_model=Page[StageChangeView],
        example=examples.STAGES,
    ),
)
async def get_contact_stages(
    contact_id: UUID, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[StageChangeView]:
    """Every change, newest first: from where to where, why, by whom, because of which event and enrollment."""
    await existing(session, contact_id)
    before = read_cursor(cursor, sequence_number)
    rows = await StageRepository(session).page(contact_id, before=before, limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.id)
    return Page[StageChangeView](items=[StageChangeView.model_validate(row) for row in items], next=following)


async def _audit(session: AsyncSession, contact_id: UUID, wanted: Wanted, done: StageResult) -> None:
    if done.move is not StageMove.CHANGED:
        return
    details = {"from": done.before, "to": done.now, "reason": wanted.reason}
    await AuditRepository(session).record(wanted.actor, "contact.stage", f"contact:{contact_id}", details)
