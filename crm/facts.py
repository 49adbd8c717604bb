"""What a condition needs to know of one contact, read in one place. Judging it is pure and in `journeys.conditions`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from journeys.conditions.base import Facts, Needs


async def load_facts(
    session: AsyncSession,
    contact_id: UUID,
    needs: Needs,
    now: datetime,
    *,
    enrollment: Enrollment | None = None,
    entry: Mapping[str, Any] | None = None,
    results: Mapping[str, str] | None = None,
    step_since: datetime | None = None,
) -> Facts:
    """The facts as of `now`: only what `needs` names is read. `entry` stands in where no enrollment exists yet.

    Raises:
        NotFound: the contact does not exist.
    """
    raise NotImplementedError
