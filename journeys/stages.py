"""The lifecycle stages of a contact, in their order, and the one rule of moving between them. Pure.

Automation moves a contact forward only. A step back has to be asked for with a reason: sales rejects a lead, a customer
leaves. What is stored of it is in `crm.stages`.
"""

from enum import StrEnum

STAGE_CHANGED = "stage.changed"
"""The event that follows a change; its properties `from` and `to` name the stages."""


class Stage(StrEnum):
    """How far a contact has come, first to last. A contact nobody has said anything of is a visitor."""

    VISITOR = "visitor"
    LEAD = "lead"
    MQL = "mql"
    SQL = "sql"
    OPPORTUNITY = "opportunity"
    CUSTOMER = "customer"
    EVANGELIST = "evangelist"

    @property
    def rank(self) -> int:
        """Its place in the order, from 0."""
        return list(Stage).index(self)


class StageMove(StrEnum):
    """What asking for a stage comes to."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    """The contact is there already."""
    KEPT = "kept"
    """It would be a step back, and that was not asked for."""


def move_to(current: Stage, wanted: Stage, *, back: bool) -> StageMove:
    """What comes of asking for a stage; `back` allows a step back."""
    if current is wanted:
        return StageMove.UNCHANGED
    return StageMove.CHANGED if back or wanted.rank > current.rank else StageMove.KEPT
