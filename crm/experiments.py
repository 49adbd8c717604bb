"""Experiments and holdouts counted: who entered, who met the goal, and which arm has won.

Held-out contacts and those of the control group go their arm's way too, but without its messages: they are in no
comparison of arms. The arithmetic
is in `journeys.proportions`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, case, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import JourneyRepository, plan_of
from crm.models.enrollment import Enrollment
from crm.models.experiment import ExperimentRecord
from journeys.proportions import Counted, Verdict, winner_of
from journeys.steps.split import SplitNode

LOOK_EVERY = timedelta(minutes=1)
"""How often the contacts of an experiment are counted to see whether it can be decided."""

# Of each enrollment the first passage through the experiment; `known`: its outcome cannot change any more.
_ARMS = """
    WITH steps AS (
        SELECT * FROM unnest(CAST(:versions AS integer[]), CAST(:steps AS text[])) AS s (version, step)
    ), firsts AS (
        SELECT DISTINCT ON (e.id) e.id, d.result AS arm, d.at, e.goal_met_at IS NOT NULL AS met,
               e.goal_met_at IS NOT NULL OR coalesce(e.goal_until < :now, e.ended_at IS NOT NULL) AS known
        FROM enrollments e
        JOIN decisions d ON d.enrollment_id = e.id
        JOIN steps s ON s.version = d.version AND s.step = d.step
        WHERE e.journey_key = :journey AND NOT e.holdout AND NOT e.control_group AND d.result <> ''
        ORDER BY e.id, d.ordinal
    ), numbered AS (
        SELECT *, row_number() OVER (PARTITION BY arm ORDER BY at, id) AS number FROM firsts
    )
    SELECT arm, count(*) AS entered, count(*) FILTER (WHERE met) AS met, count(*) FILTER (WHERE NOT known) AS open
    FROM numbered WHERE CAST(:after AS integer) IS NULL OR number <= :after GROUP BY arm
"""


class Part(StrEnum):
    """What part of a journey's enrollments one belongs to, as drawn at its entry.

    Who is in the control group and held out, too, is of the control group: no journey has sent marketing to it.
    """

    CONTACTS = "contacts"
    HOLDOUT = "holdout"
    CONTROL_GROUP = "control_group"


PART = case(
    (Enrollment.control_group, literal_column(f"'{Part.CONTROL_GROUP}'")),
    (Enrollment.holdout, literal_column(f"'{Part.HOLDOUT}'")),
    else_=literal_column(f"'{Part.CONTACTS}'"),
)
"""The part of an enrollment, for queries."""


@dataclass(frozen=True)
class Group:
    """A group of enrollments: how many, how many met the goal, and how many may still do so."""

    counted: Counted
    open: int


@dataclass(frozen=True)
class Rule:
    """When an experiment is decided: so many contacts per arm, with this confidence."""

    after: int
    confidence: float


@dataclass(frozen=True)
class Chosen:
    """The arm a contact goes, and why where that is not its draw."""

    arm: str
    because: str = ""


def outcome_known(now: datetime) -> ColumnElement[bool]:
    """Of an enrollment: whether its goal is met, or cannot be any more at `now` (aware)."""
    return Enrollment.goal_met_at.is_not(None) | func.coalesce(
        Enrollment.goal_until < now, Enrollment.ended_at.is_not(None)
    )


class ExperimentRepository:
    """The experiments of one journey, within the caller's transaction."""

    def __init__(self, session: AsyncSession, journey_key: str) -> None:
        self._session = session
        self._journey_key = journey_key

    async def choose(self, experiment: str, drawn: str, *, arms: Collection[str], rule: Rule, now: datetime) -> Chosen:
        """The arm for a contact drawn into `drawn`: the winner where there is one, which is sought at times."""
        record = await self.record(experiment)
        if record is None or record.decided_at is None or (record.after or 0) < rule.after:
            if not await self._claim(experiment, now):
                return Chosen(drawn)
            record = await self._decide(experiment, arms, rule, now)
        winner = record.winner if record is not None else None
        if winner is None or winner not in arms:
            return Chosen(drawn)
        return Chosen(winner, f"arm '{winner}' has won '{experiment}'")

    async def record(self, experiment: str) -> ExperimentRecord | None:
        """What is known of the experiment as a whole."""
        return await self._session.get(ExperimentRecord, (self._journey_key, experiment), populate_existing=True)

    async def arms(self, experiment: str, now: datetime, *, first: int | None = None) -> dict[str, Group]:
        """The enrollments that went each arm, in all versions; of each arm only the `first` so many where given."""
        steps = await self._steps(experiment)
        values = {
            "journey": self._journey_key,
            "versions": [version for version, _ in steps],
            "steps": [step for _, step in steps],
            "now": now,
            "after": first,
        }
        rows = await self._session.execute(text(_ARMS), values)
        return {row.arm: Group(Counted(row.entered, row.met), row.open) for row in rows}

    async def groups(self, now: datetime) -> dict[Part, Group]:
        """All enrollments of the journey by part; a part without any is left out."""
        query = (
            select(
                PART,
                func.count(),
                func.count(Enrollment.goal_met_at),
                func.count().filter(~outcome_known(now)),
            )
            .where(Enrollment.journey_key == self._journey_key, Enrollment.tested_draft.is_(None))
            .group_by(PART)
        )
        rows = await self._session.execute(query)
        return {Part(part): Group(Counted(entered, met), still) for part, entered, met, still in rows}

    async def arms_by_experiment(self) -> dict[str, list[str]]:
        """The experiments of all versions, and the arms each ever had: those of the newest version first."""
        versions = await JourneyRepository(self._session).versions(self._journey_key)
        found: dict[str, dict[str, None]] = {}
        for version in versions:
            for node in plan_of(version).nodes.values():
                if isinstance(node, SplitNode):
                    found.setdefault(node.experiment, {}).update(dict.fromkeys(arm.name for arm in node.arms))
        return {experiment: list(arms) for experiment, arms in found.items()}

    async def _claim(self, experiment: str, now: datetime) -> bool:
        """Whether it is this contact's turn to have the experiment counted: one at a time, and not too often."""
        fresh = insert(ExperimentRecord).values(journey_key=self._journey_key, key=experiment, looked_at=now)
        added = await self._session.scalar(fresh.on_conflict_do_nothing().returning(ExperimentRecord.key))
        if added is not None:
            return True
        due = (
            update(ExperimentRecord)
            .where(
                ExperimentRecord.journey_key == self._journey_key,
                ExperimentRecord.key == experiment,
                ExperimentRecord.looked_at <= now - LOOK_EVERY,
            )
            .values(looked_at=now)
            .returning(ExperimentRecord.key)
        )
        return await self._session.scalar(due) is not None

    async def _decide(
        self, experiment: str, arms: Collection[str], rule: Rule, now: datetime
    ) -> ExperimentRecord | None:
        """Name the winner, or that there is none, where the outcome of enough contacts of each arm is known."""
        found = await self.arms(experiment, now, first=rule.after)
        samples = [found.get(arm) for arm in arms]
        if any(one is None or one.open or one.counted.entered < rule.after for one in samples):
            return None
        verdict = winner_of({arm: found[arm].counted for arm in arms}, rule.confidence)
        return await self._store(experiment, verdict, rule, now)

    async def _store(self, experiment: str, verdict: Verdict, rule: Rule, now: datetime) -> ExperimentRecord:
        record = await self._session.get_one(ExperimentRecord, (self._journey_key, experiment))
        record.decided_at, record.after = now, rule.after
        record.winner, record.because = verdict.winner, verdict.because
        await self._session.flush()
        return record

    async def _steps(self, experiment: str) -> Sequence[tuple[int, str]]:
        """Where the experiment stands: versions and steps."""
        versions = await JourneyRepository(self._session).versions(self._journey_key)
        return [
            (version.version, step)
            for version in versions
            for step, node in plan_of(version).nodes.items()
            if isinstance(node, SplitNode) and node.experiment == experiment
        ]
