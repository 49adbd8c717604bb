"""Property tests measure nothing, so they have no deadline; and they leave no files behind."""

from hypothesis import HealthCheck, settings

settings.register_profile("journeys", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("journeys")
