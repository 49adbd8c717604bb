"""Lifecycle stages in both languages."""

from collections.abc import Mapping, Sequence

from journeys.conditions.stage import StageCondition
from journeys.reading.parts import listed
from journeys.stages import Stage
from journeys.steps.change_stage import StageStep

GERMAN_STAGES: Mapping[Stage, str] = {
    Stage.VISITOR: "Besucher",
    Stage.LEAD: "Lead",
    Stage.MQL: "Lead fürs Marketing (MQL)",
    Stage.SQL: "Lead für den Vertrieb (SQL)",
    Stage.OPPORTUNITY: "Verkaufschance",
    Stage.CUSTOMER: "Kunde",
    Stage.EVANGELIST: "Fürsprecher",
}
ENGLISH_STAGES: Mapping[Stage, str] = {
    **{stage: stage.value for stage in Stage},
    Stage.MQL: "marketing-qualified lead",
    Stage.SQL: "sales-qualified lead",
}


def english_stage_step(step: StageStep) -> str:
    """What a `stage` step does."""
    asked = step.stage
    back = ", backward too" if asked.recycle else ", never backward"
    reason = f": {asked.reason.rstrip('.')}" if asked.reason else ""
    return f'Move the contact to the stage "{ENGLISH_STAGES[asked.to]}"{back}{reason}'


def german_stage_step(step: StageStep) -> str:
    """What a `stage` step does."""
    asked = step.stage
    back = ", auch zurück" if asked.recycle else ", nie zurück"
    reason = f": {asked.reason.rstrip('.')}" if asked.reason else ""
    return f"Den Kontakt auf die Stufe „{GERMAN_STAGES[asked.to]}“ setzen{back}{reason}"


def english_stage(condition: StageCondition) -> str:
    """A `stage` condition as a clause."""
    asked, names = condition.stage, ENGLISH_STAGES
    parts = [f'"{names[asked.is_]}"'] if asked.is_ else []
    parts += [listed([f'"{names[one]}"' for one in asked.one_of], " or ")] if asked.one_of else []
    parts += [f'at least "{names[asked.at_least]}"'] if asked.at_least else []
    parts += [f'at most "{names[asked.at_most]}"'] if asked.at_most else []
    return f"the contact's stage is {listed(parts, ' and ')}"


def german_stage(condition: StageCondition) -> str:
    """A `stage` condition as a clause."""
    asked, names = condition.stage, GERMAN_STAGES
    parts = [f"„{names[asked.is_]}“"] if asked.is_ else []
    parts += [listed([f"„{names[one]}“" for one in asked.one_of], " oder ")] if asked.one_of else []
    parts += [f"mindestens „{names[asked.at_least]}“"] if asked.at_least else []
    parts += [f"höchstens „{names[asked.at_most]}“"] if asked.at_most else []
    return f"die Stufe des Kontakts {listed(parts, ' und ')} ist"


def english_stages(stages: Sequence[Stage]) -> str:
    """Which stages a journey is for."""
    return f"It is for contacts in the stage {listed([ENGLISH_STAGES[stage] for stage in stages], ' or ')}"


def german_stages(stages: Sequence[Stage]) -> str:
    """Which stages a journey is for."""
    return f"Sie ist für Kontakte auf der Stufe {listed([GERMAN_STAGES[stage] for stage in stages], ' oder ')}"
