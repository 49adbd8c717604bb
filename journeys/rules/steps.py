"""Rules about the steps themselves: their ids, whether they can be reached, how many there are."""

from collections.abc import Iterator

from journeys.findings import Note, error, warning
from journeys.model import Journey
from journeys.places import Path, write_path
from journeys.steps.branch import BranchStep
from journeys.steps.decide import IfStep
from journeys.steps.split import Experiment, SplitStep, Winner
from journeys.walk import visits

MOST_STEPS = 500
DEEPEST = 20


def two_steps_with_one_id(journey: Journey) -> Iterator[Note]:
    """Results, reports and migrations speak of steps by id."""
    first: dict[str, Path] = {}
    for visit in visits(journey):
        if visit.step_id in first:
            yield error(
                "duplicate-step-id",
                (*visit.path, "id"),
                f"The id '{visit.step_id}' is also that of {write_path(first[visit.step_id])}.",
                "Give one of them another id.",
            )
        first.setdefault(visit.step_id, visit.path)


def unreachable_steps(journey: Journey) -> Iterator[Note]:
    """One finding for the first step behind each point that no way leads past."""
    told: set[Path] = set()
    for visit in visits(journey):
        if visit.reachable or any(visit.path[: len(steps)] == steps for steps in told):
            continue
        told.add(visit.path[:-1])
        yield error(
            "unreachable-step",
            visit.path,
            f"No way leads to the step '{visit.step_id}': every way before it has left the journey.",
            "Remove it, or move it before the `exit`.",
        )


def too_many_or_too_deep(journey: Journey) -> Iterator[Note]:
    """Plans travel in every workflow's input and are read by people."""
    all_visits = list(visits(journey))
    if len(all_visits) > MOST_STEPS:
        what = f"The journey has {len(all_visits)} steps; at most {MOST_STEPS} are allowed."
        yield error("too-many-steps", ("steps",), what, "Split it into several journeys.")
    deepest = max(all_visits, key=lambda visit: visit.depth)
    if deepest.depth > DEEPEST:
        what = f"The steps are nested {deepest.depth} levels deep; at most {DEEPEST} are allowed."
        yield error("too-deep", deepest.path, what, "Combine conditions with `all` and `any`, or split the journey.")


def one_experiment_two_ways(journey: Journey) -> Iterator[Note]:
    """A contact is in one arm of an experiment, wherever it comes to it."""
    first: dict[str, SplitStep] = {}
    for visit in visits(journey):
        if not isinstance(visit.step, SplitStep):
            continue
        experiment = visit.step.split
        other = first.setdefault(experiment.experiment, visit.step).split
        if _drawn(experiment) != _drawn(other):
            what = f"The experiment '{experiment.experiment}' has other arms, shares or another rule here than before."
            remedy = "Make them the same, or give this experiment another key."
            yield error("experiment-differs", (*visit.path, "split"), what, remedy)


def _drawn(experiment: Experiment) -> tuple[dict[str, int], Winner | None]:
    return {name: arm.share for name, arm in experiment.arms.items()}, experiment.winner


def both_ways_the_same(journey: Journey) -> Iterator[Note]:
    """An `if` or `branch` without steps decides nothing."""
    for visit in visits(journey):
        if isinstance(visit.step, IfStep | BranchStep) and not any(visit.step.nested().values()):
            yield warning(
                "if-without-steps",
                visit.path,
                f"All ways of this `{visit.step.kind}` are empty, so it decides nothing.",
                "Put steps under `then` or `else`, or remove it if no later step asks for its result.",
            )
