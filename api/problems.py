"""The problems this API answers with (RFC 9457): the closed list, each with its stable type, status and title.

`docs/api.md` explains each one; `GET /problems/{name}` serves the same explanation. How errors become problems is in
`api.errors`.
"""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem. `name` never changes once released; `meaning` tells what to do about it."""

    name: str
    status: HTTPStatus
    title: str
    meaning: str

    @property
    def uri(self) -> str:
        """The value of `type`: a reference that this API itself resolves."""
        return f"/problems/{self.name}"


INVALID_REQUEST = ProblemType(
    "invalid-request",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The request cannot be used",
    "Fields are missing or hold values that cannot be used. `errors` names each with what is wrong and how to mend it.",
)
INVALID_JOURNEY = ProblemType(
    "invalid-journey",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The journey cannot run as written",
    "The journey document has errors. `errors` names each place, what is wrong and how to mend it; nothing was stored.",
)
MALFORMED_BODY = ProblemType(
    "malformed-body",
    HTTPStatus.BAD_REQUEST,
    "The body cannot be read",
    "The body is not what its headers say: broken JSON, broken gzip, or characters and numbers that cannot be stored.",
)
BODY_TOO_LARGE = ProblemType(
    "body-too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    "Bodies are limited after decompression; split the batch. A single event holds at most 32 kB.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The kind of body is not supported",
    "Send JSON as `application/json` (journeys also as `application/yaml`), plain or with `Content-Encoding: gzip`.",
)
MISSING_KEY = ProblemType(
    "missing-key",
    HTTPStatus.UNAUTHORIZED,
    "An API key is needed",
    "Send `Authorization: Bearer <key>`, or the key as the user name of basic authentication.",
)
INVALID_KEY = ProblemType(
    "invalid-key",
    HTTPStatus.UNAUTHORIZED,
    "The API key is not valid",
    "The key is unknown, incomplete or revoked. Make one with `dauerlauf keys create`.",
)
MISSING_SCOPE = ProblemType(
    "missing-scope",
    HTTPStatus.FORBIDDEN,
    "The API key may not do this",
    "The key is valid but lacks the scope that `detail` names. Use another key, or make one with that scope.",
)
FORBIDDEN = ProblemType(
    "forbidden", HTTPStatus.FORBIDDEN, "This is not allowed", "The caller is known, but may not do this."
)
UNKNOWN_PATH = ProblemType(
    "unknown-path", HTTPStatus.NOT_FOUND, "There is nothing at this address", "See `/docs` for every operation."
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "This address does not take this method",
    "The header `Allow` names the methods it takes.",
)
NOT_FOUND = ProblemType("not-found", HTTPStatus.NOT_FOUND, "Not found", "The thing named does not exist.")
UNKNOWN_JOURNEY = ProblemType(
    "unknown-journey",
    HTTPStatus.NOT_FOUND,
    "There is no such journey",
    "No journey has this key, or it has no version of the kind asked for. `GET /v1/journeys` lists them.",
)
UNKNOWN_SEGMENT = ProblemType(
    "unknown-segment",
    HTTPStatus.NOT_FOUND,
    "There is no such segment",
    "`GET /v1/segments` lists them; `PUT /v1/segments/{key}` makes one.",
)
UNKNOWN_ENROLLMENT = ProblemType(
    "unknown-enrollment",
    HTTPStatus.NOT_FOUND,
    "There is no such enrollment",
    "`GET /v1/enrollments` lists them by journey and contact.",
)
UNKNOWN_CONTACT = ProblemType(
    "unknown-contact",
    HTTPStatus.NOT_FOUND,
    "There is no such contact",
    "`PUT /v1/contacts` makes one; `GET /v1/contacts?user_id=` finds one.",
)
UNKNOWN_VOUCHER_POOL = ProblemType(
    "unknown-voucher-pool",
    HTTPStatus.NOT_FOUND,
    "There is no such voucher pool",
    "`PUT /v1/voucher-pools/{key}` makes one; `GET /v1/voucher-pools` lists them.",
)
UNKNOWN_VOUCHER = ProblemType(
    "unknown-voucher",
    HTTPStatus.NOT_FOUND,
    "There is no such voucher",
    "No voucher has this code, or nobody has been given it. `detail` says where the code seems to be mistyped.",
)
VOUCHER_EXPIRED = ProblemType(
    "voucher-expired", HTTPStatus.CONFLICT, "The voucher has expired", "It was valid, and is no longer."
)
VOUCHER_REVOKED = ProblemType(
    "voucher-revoked", HTTPStatus.CONFLICT, "The voucher was revoked", "It was taken back before it was redeemed."
)
VOUCHER_REDEEMED = ProblemType(
    "voucher-redeemed",
    HTTPStatus.CONFLICT,
    "The voucher was redeemed already",
    "It was redeemed for another `reference`. Each can be redeemed once.",
)
CONFLICT = ProblemType(
    "conflict",
    HTTPStatus.CONFLICT,
    "The present state does not allow this",
    "`detail` says which state it is in. Read it again before trying again.",
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    HTTPStatus.CONFLICT,
    "The idempotency key belongs to another request",
    "The same `Idempotency-Key` was sent with another request before. Use a new key for a new request.",
)
UNAVAILABLE = ProblemType(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "A service we need does not answer",
    "Nothing was accepted. Send the same request again after the seconds in `Retry-After`.",
)
REQUEST_NOT_POSSIBLE = ProblemType(
    "request-not-possible", HTTPStatus.BAD_REQUEST, "The request cannot be answered", "`detail` says why."
)
INTERNAL_ERROR = ProblemType(
    "internal-error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something broke on our side",
    "It is logged under `request_id`. Nothing of this request took effect in the database.",
)

PROBLEM_TYPES: dict[str, ProblemType] = {
    problem.name: problem
    for problem in (
        INVALID_REQUEST,
        INVALID_JOURNEY,
        MALFORMED_BODY,
        BODY_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        MISSING_KEY,
        INVALID_KEY,
        MISSING_SCOPE,
        FORBIDDEN,
        UNKNOWN_PATH,
        METHOD_NOT_ALLOWED,
        NOT_FOUND,
        UNKNOWN_JOURNEY,
        UNKNOWN_SEGMENT,
        UNKNOWN_ENROLLMENT,
        UNKNOWN_CONTACT,
        UNKNOWN_VOUCHER_POOL,
        UNKNOWN_VOUCHER,
        VOUCHER_EXPIRED,
        VOUCHER_REVOKED,
        VOUCHER_REDEEMED,
        CONFLICT,
        IDEMPOTENCY_KEY_REUSED,
        UNAVAILABLE,
        REQUEST_NOT_POSSIBLE,
        INTERNAL_ERROR,
    )
}
