"""Is the process alive, and can it do its work? Neither needs a key."""

from fastapi import APIRouter
from sqlalchemy import text

from api import problems
from api.dependencies import SessionsDep
from api.operation import problem_responses
from api.schemas.health import Health, Readiness

router = APIRouter(tags=["Health"])


@router.get("/healthz", summary="Is the process alive?", operation_id="healthz")
async def healthz() -> Health:
    """Answers as long as the process can answer, whatever else is down."""
    return Health()


@router.get(
    "/readyz",
    summary="Can the process do its work?",
    operation_id="readyz",
    responses=problem_responses([problems.UNAVAILABLE]),
)
async def readyz(sessions: SessionsDep) -> Readiness:
    """Answers 503 while the database is away. Temporal may be away: events are accepted and catch up later."""
    async with sessions() as session:
        await session.execute(text("SELECT 1"))
    return Readiness()
