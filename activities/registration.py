"""The Temporal worker with every activity registered; the worker process runs it, so do demo and end-to-end tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities.contacts import ContactActivities
from activities.enrollments import EnrollmentActivities
from activities.instants import CalendarActivities
from activities.journeys import Admit, JourneyActivities
from activities.messages import MessagingActivities
from activities.tasks import TaskActivities
from kit.clock import wall_clock
from kit.database import Sessions
from kit.settings import Settings
from kit.temporal import worker_options, workflow_runner
from messaging.channels.registry import open_channels
from workflows.journey import ContactJourney

SHUTDOWN_GRACE = timedelta(seconds=20)
"""A send that has begun may end: longer than the providers' connect and read time-outs together."""


@asynccontextmanager
async def journey_worker(
    settings: Settings, client: Client, sessions: Sessions, *, admit: Admit
) -> AsyncIterator[Worker]:
    """The Temporal worker with its activities; channels are closed when it is done.

    `admit` is `intake.starting.start_requested`: intake stands beside the activities, not below them.
    """
    contacts = ContactActivities(sessions)
    calendars = CalendarActivities(sessions, settings)
    enrollments = EnrollmentActivities(sessions)
    journeys = JourneyActivities(sessions, admit)
    tasks = TaskActivities(sessions, settings)
    messages = MessagingActivities(sessions, open_channels(settings), settings, wall_clock)
    try:
        yield Worker(
            client,
            task_queue=settings.task_queue,
            workflows=[ContactJourney],
            activities=[
                contacts.judge_condition,
                contacts.judge_conditions,
                contacts.set_attributes,
                contacts.change_list,
                contacts.change_stage,
                contacts.give_points,
                contacts.recompute_score,
                tasks.create_task,
                calendars.resolve_instant,
                enrollments.record_progress,
                messages.send_message,
                journeys.start_journey,
                journeys.choose_arm,
            ],
            workflow_runner=workflow_runner(sandboxed=settings.sandboxed),
            graceful_shutdown_timeout=SHUTDOWN_GRACE,
            **worker_options(settings),
        )
    finally:
        await messages.close()
