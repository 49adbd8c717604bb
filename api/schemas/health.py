"""Answers for load balancers and supervisors."""

from typing import Literal

from api.schemas.fields import Output


class Health(Output):
    """The process lives."""

    status: Literal["ok"] = "ok"


class Readiness(Output):
    """The process can do its work."""

    status: Literal["ok"] = "ok"
    database: Literal["ok"] = "ok"
