"""The ports, their names, and that nothing about them can drift apart unseen."""

from typing import get_args

from temporalio import activity

from journeys.steps.registry import Node
from tests.support.ports import World
from workflows import ports
from workflows.ports import CalendarPort, ContactPort, EnrollmentPort, JourneyPort, MessagingPort, TaskPort
from workflows.steps.registry import EXECUTE


def port_names() -> set[str]:
    return {
        definition.name or ""
        for port in (CalendarPort, ContactPort, EnrollmentPort, JourneyPort, MessagingPort, TaskPort)
        for method in vars(port).values()
        if (definition := activity._Definition.from_callable(method))
    }


def test_every_kind_of_node_has_its_coroutine() -> None:
    nodes = get_args(get_args(Node)[0])
    assert set(EXECUTE) == {get_args(node.model_fields["kind"].annotation)[0] for node in nodes}


def test_the_fakes_answer_to_every_port() -> None:
    registered = {activity._Definition.must_from_callable(method).name for method in World().activities()}
    assert registered == port_names()


def test_requests_and_results_are_frozen() -> None:
    models = [thing for thing in vars(ports).values() if isinstance(thing, type) and thing.__module__ == ports.__name__]
    data = [model for model in models if hasattr(model, "model_config")]
    assert data
    assert all(model.model_config.get("frozen") for model in data)
