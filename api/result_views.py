"""Counts as results: rates, differences and their intervals, rounded to what can be read."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from api.schemas.fields import EXAMPLE_INSTANT
from api.schemas.results import (
    AfterMessageView,
    ArmView,
    ComparisonView,
    ExperimentView,
    GoalTypesView,
    GoalTypeView,
    GroupView,
    ResultsView,
    RetroactiveView,
)
from crm.experiments import Group, Part
from crm.models.experiment import ExperimentRecord
from crm.reports import NOBODY, GoalTypeResult
from crm.retroactive import OtherGoal
from journeys.duration import write_duration
from journeys.model import GoalType
from journeys.proportions import Counted, difference_interval, rate_interval
from journeys.values import Comparison

_DIGITS = 6


def group_view(group: Group) -> GroupView:
    """A group with its rate."""
    counted = group.counted
    low, high = rate_interval(counted)
    return GroupView(
        entered=counted.entered,
        goal_met=counted.met,
        open=group.open,
        rate=round(counted.rate, _DIGITS),
        rate_low=round(low, _DIGITS),
        rate_high=round(high, _DIGITS),
    )


def comparison_view(group: Group, other: Group) -> ComparisonView:
    """A group compared with another."""
    first, second = group.counted, other.counted
    low, high = difference_interval(first, second)
    difference = first.rate - second.rate
    return ComparisonView(
        difference=round(difference, _DIGITS),
        low=round(low, _DIGITS),
        high=round(high, _DIGITS),
        lift=round(difference / second.rate, _DIGITS) if second.rate else None,
    )


def experiment_view(
    experiment: str, arms: Sequence[str], groups: Mapping[str, Group], record: ExperimentRecord | None
) -> ExperimentView:
    """An experiment with its arms in their order, each compared with the first."""
    first = groups.get(arms[0], NOBODY)
    views = [
        ArmView(
            arm=arm,
            against_first=comparison_view(groups.get(arm, NOBODY), first) if number else None,
            **group_view(groups.get(arm, NOBODY)).model_dump(),
        )
        for number, arm in enumerate(arms)
    ]
    return ExperimentView(
        experiment=experiment,
        arms=views,
        decided_at=record.decided_at if record else None,
        winner=record.winner if record else None,
        because=record.because if record else None,
    )


def results_view(
    journey: str, groups: Mapping[Part, Group], after_message: Group, experiments: list[ExperimentView]
) -> ResultsView:
    """The journey as a whole; `after_message` are the contacts that a message was handed over to."""
    counted = group_view(after_message).model_dump()
    return ResultsView(
        journey=journey,
        after_message=AfterMessageView(written_to=counted.pop("entered"), **counted),
        experiments=experiments,
        **_compared(groups),
    )


def _compared(groups: Mapping[Part, Group]) -> dict[str, Any]:
    contacts, holdout = groups.get(Part.CONTACTS, NOBODY), groups.get(Part.HOLDOUT)
    control_group = groups.get(Part.CONTROL_GROUP)
    return {
        "contacts": group_view(contacts),
        "holdout": group_view(holdout) if holdout else None,
        "effect": comparison_view(contacts, holdout) if holdout else None,
        "control_group": group_view(control_group) if control_group else None,
        "effect_of_marketing": comparison_view(contacts, control_group) if control_group else None,
    }


def retroactive_view(journey: str, goal: OtherGoal, groups: Mapping[Part, Group]) -> RetroactiveView:
    """The journey as a whole, by a goal it does not have."""
    within = write_duration(goal.within)
    return RetroactiveView(journey=journey, event=goal.event, within=within, **_compared(groups))


def goal_types_view(found: Mapping[GoalType, GoalTypeResult]) -> GoalTypesView:
    """Every goal type in its order."""
    return GoalTypesView(
        items=[
            GoalTypeView(
                goal_type=goal_type,
                journeys=result.journeys,
                contacts=group_view(result.groups.get(Part.CONTACTS, NOBODY)),
                holdout=_group_view_of(result, Part.HOLDOUT),
                control_group=_group_view_of(result, Part.CONTROL_GROUP),
            )
            for goal_type, result in found.items()
        ]
    )


def _group_view_of(result: GoalTypeResult, part: Part) -> GroupView | None:
    return group_view(result.groups[part]) if part in result.groups else None


_QUESTION, _OFFER = Group(Counted(1_000, 104), 0), Group(Counted(1_000, 139), 0)
EXAMPLE = results_view(
    "welcome",
    {
        Part.CONTACTS: Group(Counted(2_240, 271), 31),
        Part.HOLDOUT: Group(Counted(118, 9), 2),
        Part.CONTROL_GROUP: Group(Counted(121, 8), 3),
    },
    Group(Counted(1_987, 246), 25),
    [
        experiment_view(
            "subject-line",
            ["question", "offer"],
            {"question": _QUESTION, "offer": _OFFER},
            ExperimentRecord(
                decided_at=EXAMPLE_INSTANT, winner="offer", because="'offer' is best: 'question' 104 of 1000, …"
            ),
        )
    ],
)
GOAL_TYPES_EXAMPLE = goal_types_view(
    {
        GoalType.SELL: GoalTypeResult(
            4, {Part.CONTACTS: Group(Counted(2_240, 271), 31), Part.HOLDOUT: Group(Counted(118, 9), 2)}
        )
    }
)
RETROACTIVE = retroactive_view(
    "welcome",
    OtherGoal("order.placed", {"amount": Comparison(at_least=50)}, timedelta(days=60)),
    {Part.CONTACTS: Group(Counted(2_240, 190), 12), Part.HOLDOUT: Group(Counted(118, 6), 1)},
)
