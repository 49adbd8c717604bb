"""Problem documents as they leave (RFC 9457)."""

from pydantic import BaseModel, Field


class FieldProblem(BaseModel):
    """One thing that is wrong with the request."""

    field: str = Field(description="JSON pointer into the body (`/batch/3/timestamp`), or the parameter's name.")
    what: str = Field(description="What is wrong, in a sentence.")
    remedy: str = Field(description="How to mend it, in a sentence.")


class ProblemDocument(BaseModel):
    """What every answer of status 400 and above holds, as `application/problem+json`."""

    type: str = Field(description="Stable name of the kind of problem; resolves to its explanation.")
    title: str = Field(description="The kind of problem, in a few words. The same for all problems of the type.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened here, in a sentence or two.")
    errors: list[FieldProblem] = Field(default_factory=list, description="Every finding, where there are several.")
    request_id: str | None = Field(default=None, description="Also the header `X-Request-Id`; name it when asking.")
