"""Segments: define one, try a condition, see who is in it and why."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Path, Response
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep
from api.errors import ProblemError
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.routers.contacts import existing
from api.schemas import segments as schemas
from api.schemas.fields import Page
from api.schemas.segments import (
    JudgedView,
    MemberView,
    PreviewInput,
    PreviewView,
    SegmentInput,
    SegmentItem,
    SegmentRemoved,
    SegmentView,
    SegmentWritten,
)
from crm.access import AuditRepository, Scope
from crm.facts import load_facts
from crm.segment_uses import journeys_with_segment
from crm.segments import LiveSegment, SegmentRepository
from journeys.documents import to_document
from journeys.segments import Segment
from journeys.values import Key
from kit.errors import Conflict, Invalid

router = APIRouter(tags=["Segments"], route_class=JsonRoute)

SegmentKey = Annotated[Key, Path(description="The segment's key.", examples=["good-customers"])]


def _read(summary: str, name: str, model: Any, example: Any, *kinds: problems.ProblemType) -> dict[str, Any]:
    return operation(Scope.READ, *kinds, summary=summary, operation_id=name, response_model=model, example=example)


@router.put(
    "/v1/segments/{key}",
    **operation(
        Scope.AUTHOR,
        body=True,
        summary="Define a segment",
        operation_id="put_segment",
        response_model=SegmentWritten,
        example=schemas.WRITTEN,
        answers={201: {"model": SegmentWritten, "description": "The segment was made."}},
    ),
)
async def put_segment(
    key: SegmentKey,
    request: Annotated[SegmentInput, Body(openapi_examples={"usual": {"value": schemas.REQUEST}})],
    session: SessionDep,
    *,
    access: AccessDep,
    clock: ClockDep,
    response: Response,
) -> SegmentWritten:
    """Makes the segment or changes it, and sets at once who is in it. Segments that ask for it follow.

    Journeys are told of nobody by this, unless `backfill` is `matching`.
    """
    segment = Segment(key=key, name=request.name, description=request.description, condition=request.condition)
    made = await SegmentRepository(session).define(segment, backfill=request.backfill, now=clock())
    details = {"version": made.version, "entered": made.entered, "left": made.left, "told": made.told}
    await AuditRepository(session).record(access.actor, "segment.defined", f"segment:{key}", details)
    response.status_code = HTTPStatus.CREATED if made.created else HTTPStatus.OK
    return SegmentWritten(
        key=key,
        version=made.version,
        created=made.created,
        members=made.members,
        entered=made.entered,
        left=made.left,
        told=made.told,
    )


@router.get(
    "/v1/segments",
    **_read(
        "List segments",
        "list_segments",
        Page[SegmentItem],
        Page[SegmentItem](
            items=[SegmentItem(**schemas.SEGMENT.model_dump(include=set(SegmentItem.model_fields)))], next=None
        ),
    ),
)
async def list_segments(
    session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[SegmentItem]:
    """In the order of their keys."""
    after = read_cursor(cursor, TypeAdapter[str](Key).validate_python)
    rows = await SegmentRepository(session).page(after=after, limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.key)
    return Page[SegmentItem](items=[SegmentItem(**_item(row)) for row in items], next=following)


@router.post(
    "/v1/segments/preview",
    **operation(
        Scope.READ,
        body=True,
        summary="Try a condition",
        operation_id="preview_segment",
        response_model=PreviewView,
        example=schemas.PREVIEW,
    ),
)
async def preview_segment(
    request: Annotated[
        PreviewInput, Body(openapi_examples={"usual": {"value": {"condition": schemas.EXAMPLE_CONDITION}}})
    ],
    session: SessionDep,
    clock: ClockDep,
) -> PreviewView:
    """How many contacts it holds for now, and a few of them. Nothing is stored."""
    return PreviewView.model_validate(await SegmentRepository(session).preview(request.condition, clock()))


@router.get(
    "/v1/segments/{key}",
    **_read("Read a segment", "get_segment", SegmentView, schemas.SEGMENT, problems.UNKNOWN_SEGMENT),
)
async def get_segment(key: SegmentKey, session: SessionDep) -> SegmentView:
    """Its condition, in words too, how many are in it, and which journeys name it."""
    live = await _existing(session, key)
    return SegmentView(
        **_item(live),
        condition=to_document(live.segment)["condition"],
        in_words=live.segment.in_words(),
        members=await SegmentRepository(session).count(key),
        journeys=await journeys_with_segment(session, key),
    )


@router.delete(
    "/v1/segments/{key}",
    **operation(
        Scope.AUTHOR,
        problems.UNKNOWN_SEGMENT,
        problems.CONFLICT,
        summary="Remove a segment",
        operation_id="delete_segment",
        response_model=SegmentRemoved,
        example=schemas.REMOVED,
    ),
)
async def delete_segment(key: SegmentKey, session: SessionDep, access: AccessDep) -> SegmentRemoved:
    """Forgets it and who was in it. Refused while a journey that is live or has contacts inside names it."""
    await _existing(session, key)
    if naming := await journeys_with_segment(session, key):
        what = f"The segment {key} is named by the journey {naming[0]}, which is live or has contacts inside."
        raise Conflict(what, remedy="Publish a version without it, and let or move those inside out first.")
    members = await SegmentRepository(session).count(key)
    await SegmentRepository(session).remove(key)
    await AuditRepository(session).record(access.actor, "segment.removed", f"segment:{key}", {"members": members})
    return SegmentRemoved(key=key, members=members)


@router.get(
    "/v1/segments/{key}/members",
    **_read(
        "List the members of a segment",
        "list_segment_members",
        Page[MemberView],
        Page[MemberView](items=[schemas.MEMBER], next=None),
        problems.UNKNOWN_SEGMENT,
    ),
)
async def list_segment_members(
    key: SegmentKey, session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[MemberView]:
    """In the order in which the contacts were made."""
    await _existing(session, key)
    after = read_cursor(cursor, UUID)
    rows = await SegmentRepository(session).members(key, after=after, limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.contact_id)
    return Page[MemberView](items=[MemberView.model_validate(row) for row in items], next=following)


@router.get(
    "/v1/segments/{key}/members/{contact_id}",
    **_read(
        "Test one contact against a segment",
        "test_segment_member",
        JudgedView,
        schemas.JUDGED,
        problems.UNKNOWN_SEGMENT,
        problems.UNKNOWN_CONTACT,
    ),
)
async def test_segment_member(key: SegmentKey, contact_id: UUID, session: SessionDep, clock: ClockDep) -> JudgedView:
    """Judges the condition for the contact now, and says why; beside it, the membership as it is kept."""
    live = await _existing(session, key)
    await existing(session, contact_id)
    member = await SegmentRepository(session).member(key, contact_id)
    holds, because = await _judged(session, live, contact_id, clock)
    view = MemberView.model_validate(member) if member is not None else None
    return JudgedView(contact_id=contact_id, holds=holds, because=because, member=view)


async def _judged(
    session: AsyncSession, live: LiveSegment, contact_id: UUID, clock: ClockDep
) -> tuple[bool | None, str]:
    condition = live.segment.condition
    facts = await load_facts(session, contact_id, condition.needs(), clock())
    try:
        verdict = condition.judge(facts)
    except Invalid as error:
        return None, str(error)
    return verdict.holds, verdict.because


def _item(live: LiveSegment) -> dict[str, Any]:
    segment = live.segment
    return {"key": segment.key, "name": segment.name, "description": segment.description, "version": live.version}


async def _existing(session: AsyncSession, key: str) -> LiveSegment:
    live = await SegmentRepository(session).get(key)
    if live is None:
        raise ProblemError(
            problems.UNKNOWN_SEGMENT, f"There is no segment '{key}'. GET /v1/segments lists the segments there are."
        )
    return live
