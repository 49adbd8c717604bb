"""Rules about conditions that can never hold, or hold always, as they are written."""

from collections.abc import Iterator

from journeys.conditions.registry import All, AnyOf, Condition, EventCondition, ScoreCondition, StageCondition
from journeys.findings import Note, error, warning
from journeys.model import Journey
from journeys.places import Path
from journeys.stages import Stage
from journeys.values import Comparison
from journeys.walk import comparisons, condition_roots, conditions_in


def impossible_ranges(journey: Journey) -> Iterator[Note]:
    """`at_least` above `at_most` fits nothing."""
    for asked, path in comparisons(journey):
        if isinstance(asked, Comparison):
            yield from _range(path, asked.at_least, asked.at_most)
    for condition, path in _conditions(journey):
        if isinstance(condition, EventCondition):
            # The default of at least one is not what the author meant who writes `at_most: 0`.
            yield from _range(path, condition.at_least, condition.at_most, hint=" For none at all, use `none`.")
        if isinstance(condition, ScoreCondition):
            yield from _range((*path, "score"), condition.score.at_least, condition.score.at_most)
        if isinstance(condition, StageCondition):
            yield from _stages((*path, "stage"), condition.stage.at_least, condition.stage.at_most)


def _stages(path: Path, least: Stage | None, most: Stage | None) -> Iterator[Note]:
    if least is not None and most is not None and least.rank > most.rank:
        what = f"Nothing is at least {least} and at most {most}."
        yield error("impossible-range", path, what, "Change `at_least` or `at_most`.")


def _range(path: Path, least: float | None, most: float | None, *, hint: str = "") -> Iterator[Note]:
    if least is not None and most is not None and least > most:
        what = f"Nothing is at least {least} and at most {most}."
        yield error("impossible-range", path, what, f"Change `at_least` or `at_most`.{hint}")


def decided_beforehand(journey: Journey) -> Iterator[Note]:
    """Conditions whose verdict no contact can change."""
    for condition, path in _conditions(journey):
        if isinstance(condition, All) and not condition.all:
            yield warning("empty-condition", path, "An empty `all` always holds.", "Write conditions into it.")
        if isinstance(condition, AnyOf) and not condition.any:
            yield warning("empty-condition", path, "An empty `any` never holds.", "Write conditions into it.")
        if isinstance(condition, EventCondition) and condition.at_least == 0 and condition.at_most is None:
            what = "At least 0 events have always happened."
            yield warning("always-holds", path, what, "Write `at_least: 1`, or `at_most`.")


def _conditions(journey: Journey) -> Iterator[tuple[Condition, Path]]:
    for root, path, _ in condition_roots(journey):
        yield from conditions_in(root, path)
