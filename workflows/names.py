"""Names the outside world needs to reach a running journey: workflow type and id, search attributes, memo keys.

Only opaque ids enter them: an entry key may be personal (an e-mail address), so it is hashed.
"""

import hashlib
from uuid import UUID

from temporalio.common import SearchAttributeKey

WORKFLOW_TYPE = "ContactJourney"
ENROLLMENT_MEMO = "enrollment"
"""Memo key holding the enrollment id: tells a repeated start of ours from a run that still closes."""

JOURNEY_KEY = SearchAttributeKey.for_keyword("JourneyKey")
JOURNEY_VERSION = SearchAttributeKey.for_int("JourneyVersion")
JOURNEY_STEP = SearchAttributeKey.for_keyword("JourneyStep")
JOURNEY_STATE = SearchAttributeKey.for_keyword("JourneyState")
CONTACT_ID = SearchAttributeKey.for_keyword("ContactId")
DUE_AT = SearchAttributeKey.for_datetime("DueAt")

SEARCH_ATTRIBUTES = (JOURNEY_KEY, JOURNEY_VERSION, JOURNEY_STEP, JOURNEY_STATE, CONTACT_ID, DUE_AT)


def journey_workflow_id(journey: str, contact_id: UUID, entry_key: str = "") -> str:
    """`{journey}:{contact}` or `{journey}:{contact}:{hash of the entry key}` (16 hex digits of SHA-256)."""
    base = f"{journey}:{contact_id}"
    return f"{base}:{hashlib.sha256(entry_key.encode()).hexdigest()[:16]}" if entry_key else base


def tryout_workflow_id(journey: str, contact_id: UUID, number: int) -> str:
    """`{journey}:{contact}:test-{number}`: of a test run, which may run beside others of the contact."""
    return f"{journey}:{contact_id}:test-{number}"
