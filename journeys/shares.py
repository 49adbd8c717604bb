"""Which contacts a version on trial takes, while the one before it stays live for the others. Pure: a hash decides."""

import hashlib
from uuid import UUID

WHOLE = 100


def takes(journey: str, version: int, contact_id: UUID, *, percent: int) -> bool:
    """Whether the contact is among the percent of new contacts that the version on trial takes.

    The answer stays the same for a contact, and a larger share takes all that a smaller one took. Another version
    draws anew, so that trials do not always fall to the same people.
    """
    drawn = hashlib.sha256(f"{journey}:{version}:{contact_id}".encode()).digest()[:8]
    return int.from_bytes(drawn) * WHOLE < percent << 64
