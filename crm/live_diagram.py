"""The picture of a stored version of a journey, with who is where in it."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository, StepCounts
from crm.journeys import JourneyRepository, definition_of
from crm.models.journey import VersionState
from journeys.diagram import Chart, Standing, chart_of
from kit.errors import NotFound


async def live_chart(session: AsyncSession, key: str, version: int | None = None) -> Chart:
    """The version as a picture with live counts; without a number the live one, or else the newest.

    Raises:
        NotFound: no such journey, or no such version of it.
    """
    versions = await JourneyRepository(session).demand_versions(key)
    live = next((one for one in versions if one.state == VersionState.LIVE and one.share is None), versions[0])
    shown = live if version is None else next((one for one in versions if one.version == version), None)
    if shown is None:
        numbers = ", ".join(str(one.version) for one in reversed(versions))
        raise NotFound(f"Journey {key} has no version {version}.", remedy=f"Its versions are {numbers}.")
    counts = await EnrollmentRepository(session).counts(key, shown.version)
    return chart_of(definition_of(shown), standing={step: standing_of(count) for step, count in counts.items()})


def standing_of(counts: StepCounts) -> Standing:
    """What of the counts of a step is in a picture. Who moved to another version from it neither went on nor left."""
    went_on = counts.passed + counts.refused + counts.skipped
    return Standing(waiting=counts.waiting, attention=counts.failed, passed=went_on, left=counts.exited)
