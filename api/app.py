"""The HTTP application: every part by name, assembled in one place. What the operations do is in `api.routers`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware

from api import errors, openapi
from api.authentication import AccessCache
from api.middleware import BodyMiddleware, RequestIdMiddleware
from api.routers import (
    answers,
    clocks,
    commands,
    consents,
    contacts,
    diagrams,
    enrollments,
    events,
    explanations,
    health,
    journeys,
    publication,
    rehearsals,
    reports,
    results,
    segments,
    send_times,
    stages,
    steering,
    stuck,
    tasks,
    templates,
    tracking,
    tryouts,
    vouchers,
)
from api.temporal import TemporalConnection
from kit.clock import Clock, wall_clock
from kit.database import create_engine, create_sessions
from kit.logs import configure_logs
from kit.settings import Settings
from kit.temporal import connect

ROUTERS = (
    tracking.router,
    events.router,
    journeys.documents,
    journeys.router,
    diagrams.router,
    publication.router,
    templates.router,
    steering.router,
    stuck.router,
    clocks.router,
    results.router,
    reports.router,
    segments.router,
    rehearsals.router,
    tryouts.router,
    enrollments.router,
    commands.router,
    contacts.router,
    stages.router,
    tasks.router,
    answers.router,
    send_times.router,
    consents.router,
    vouchers.router,
    health.router,
    explanations.router,
)


def create_app(settings: Settings, *, clock: Clock = wall_clock, temporal: TemporalConnection | None = None) -> FastAPI:
    """The application. Starts, and answers what it can, while PostgreSQL or Temporal are away.

    Args:
        settings: Of this process.
        clock: What the time is.
        temporal: The way to Temporal; by default to where the environment says, when first needed.
    """
    app = FastAPI(
        title=openapi.TITLE,
        lifespan=_lifespan(settings, temporal),
        docs_url=None,
        redoc_url=None,
        strict_content_type=False,
        redirect_slashes=False,
        middleware=[
            Middleware(RequestIdMiddleware),
            Middleware(BodyMiddleware, limit=settings.max_body_bytes),
        ],
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.access_cache = AccessCache()
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    openapi.install(app)
    return app


def create_app_from_environment() -> FastAPI:
    """The application as the environment sets it up: `uvicorn --factory api.app:create_app_from_environment`."""
    settings = Settings()
    configure_logs(settings)
    return create_app(settings)


def _lifespan(
    settings: Settings, temporal: TemporalConnection | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """Opens the engine and the way to Temporal; both connect when they are first needed."""
        engine = create_engine(settings)
        app.state.sessions = create_sessions(engine)
        connection = temporal or TemporalConnection(lambda: connect(settings))
        app.state.temporal = connection
        try:
            yield
        finally:
            await connection.close()
            await engine.dispose()

    return lifespan
