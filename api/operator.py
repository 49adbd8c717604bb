"""Carrying commands of people to running journeys, and noting them. No transaction is open while Temporal is asked."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends

from api.authentication import AccessDep
from api.dependencies import SessionsDep, TemporalDep
from api.enrollment_views import found
from api.idempotency import IdempotencyKey
from api.schemas.enrollments import CommandAnswer, CommandRequest, DecideRequest, RescheduleRequest, ResumeRequest
from api.temporal import TemporalConnection
from crm.access import Access, AuditRepository
from journeys.resuming import Resuming
from kit.database import Sessions
from kit.errors import Conflict, NotFound
from workflows import starter
from workflows.messages import Command, Decide, Explanation, Reschedule, Resume

Action = Literal["pause", "resume", "skip", "retry", "reschedule", "decide"]

UPDATES: Mapping[Action, Callable[..., Awaitable[Explanation]]] = {
    "pause": starter.pause,
    "resume": starter.resume,
    "skip": starter.skip,
    "retry": starter.retry,
    "reschedule": starter.reschedule,
    "decide": starter.decide,
}


class Operator:
    """One caller who steers. With an idempotency key, Temporal itself answers a repetition without doing it again."""

    def __init__(self, sessions: Sessions, temporal: TemporalConnection, access: Access, key: str | None) -> None:
        self._sessions = sessions
        self._temporal = temporal
        self._access = access
        # Hashed: an idempotency key may be anything, and nothing personal enters Temporal.
        self._request_id = hashlib.sha256(f"{access.key_id}:{key}".encode()).hexdigest() if key else ""

    async def carry_out(self, action: Action, enrollment_id: UUID, request: CommandRequest | None) -> CommandAnswer:
        """What the journey answers.

        Raises:
            Conflict: the journey's state does not allow it, or it does not run any more, or not yet.
            Unavailable: Temporal or its workers do not answer in time.
        """
        async with self._sessions() as session:
            enrollment = await found(session, enrollment_id)
        if enrollment.ended_at is not None:
            raise Conflict(f"The enrollment has ended as '{enrollment.state}'.", remedy="There is nothing to steer.")
        command = self._command(action, enrollment_id, request)
        try:
            client = await self._temporal.client()
            now = await UPDATES[action](client, enrollment.workflow_id, command, request_id=self._request_id)
        except NotFound as error:
            what = "The journey does not run: it starts in a moment, or has just ended."
            raise Conflict(what, remedy="Read the enrollment again, then decide.") from error
        await self._note(action, enrollment_id, command)
        return CommandAnswer(action=action, enrollment_id=enrollment_id, now=now)

    def _command(self, action: Action, enrollment_id: UUID, request: CommandRequest | None) -> Command:
        reason = request.reason if request else ""
        if isinstance(request, RescheduleRequest):
            return Reschedule(by=self._access.actor, reason=reason, enrollment_id=enrollment_id, at=request.at)
        if isinstance(request, DecideRequest):
            return Decide(
                by=self._access.actor,
                reason=reason,
                enrollment_id=enrollment_id,
                answer=request.answer,
                step=request.step,
            )
        if action == "resume":
            timers = request.timers if isinstance(request, ResumeRequest) else Resuming.CATCH_UP
            return Resume(by=self._access.actor, reason=reason, enrollment_id=enrollment_id, timers=timers)
        return Command(by=self._access.actor, reason=reason, enrollment_id=enrollment_id)

    async def _note(self, action: Action, enrollment_id: UUID, command: Command) -> None:
        details = {"reason": command.reason}
        if isinstance(command, Reschedule):
            details["at"] = command.at.isoformat()
        if isinstance(command, Decide):
            details["answer"] = command.answer
        if isinstance(command, Resume):
            details["timers"] = command.timers
        async with self._sessions.begin() as session:
            await AuditRepository(session).record(
                self._access.actor, f"enrollment.{action}", f"enrollment:{enrollment_id}", details
            )


def operator(
    sessions: SessionsDep, temporal: TemporalDep, access: AccessDep, idempotency_key: IdempotencyKey = None
) -> Operator:
    """The caller of this request."""
    return Operator(sessions, temporal, access, idempotency_key)


OperatorDep = Annotated[Operator, Depends(operator)]
