"""The lines before providers, kept in the database for all workers: one statement per question, committed at once.

It runs beside the transaction of the send, on a connection of its own: the row is locked while the server carries out
that one statement, not for as long as a worker takes from its gate to its claim. What is counted for a send that then
comes to nothing is a turn unused, never one taken twice.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.pace import MISSED, NEAR, Answer, Line, Pace, Question, answer

# What `messaging.pace.answer` says, so that nobody else comes between the look at the line and the change of it.
_EARLY = "coalesce(:turn, promised) > :soon"
_FREE = "greatest(free, :at)"
_NEXT = f"greatest(promised, {_FREE})"
_TURN = f"coalesce(CASE WHEN :turn > :soon THEN :turn END, {_NEXT})"
_ASK = text(f"""
    UPDATE provider_lines SET
        free = CASE
            WHEN NOT :waits THEN {_FREE} + :every
            WHEN {_EARLY} THEN CASE WHEN free <= :missed THEN :missed + :every ELSE free END
            WHEN {_FREE} <= :soon THEN {_FREE} + :every
            ELSE free END,
        promised = CASE
            WHEN NOT :waits OR ({_EARLY} AND free <= :missed) THEN promised
            WHEN NOT ({_EARLY}) AND {_FREE} <= :soon
                THEN CASE WHEN :turn IS NULL THEN {_NEXT} + :every ELSE promised END
            WHEN {_TURN} > :last THEN promised
            ELSE greatest(promised, {_TURN} + :every) END
    WHERE provider = :provider
    RETURNING old.promised, old.free
""")  # noqa: S608 -- put together of the lines above only
_BEGIN = text("""
    INSERT INTO provider_lines (provider, promised, free) VALUES (:provider, :at, :at) ON CONFLICT DO NOTHING
""")


class ProviderLines:
    """The lines of one process. Its engine commits each statement by itself; call `aclose()` at the end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ask(self, provider: str, question: Question, pace: Pace) -> Answer:
        """Ask for a message to a provider; what follows for the line is written when this returns."""
        asked = {
            **vars(question),
            "provider": provider,
            "every": pace.every,
            "soon": question.at + NEAR,
            "missed": question.at - MISSED,
        }
        async with self._engine.connect() as connection:
            stood = (await connection.execute(_ASK, asked)).one_or_none()
            if stood is None:
                await connection.execute(_BEGIN, {"provider": provider, "at": question.at})
                stood = (await connection.execute(_ASK, asked)).one()
        return answer(Line(*stood), question, pace)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._engine.dispose()
