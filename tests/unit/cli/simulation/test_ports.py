"""The ports of a simulation answer to everything a workflow asks."""

import pytest
from temporalio import activity

from cli.simulation.ports import activities
from cli.simulation.world import World
from kit.errors import NotFound
from workflows import ports


def port_names() -> set[str]:
    methods = [method for port in vars(ports).values() if isinstance(port, type) for method in vars(port).values()]
    return {found.name or "" for method in methods if (found := activity._Definition.from_callable(method))}


def test_every_method_of_every_port_is_there() -> None:
    def nobody(_: object) -> World:
        raise NotFound("There is no world.")

    registered = {activity._Definition.must_from_callable(method).name for method in activities(nobody)}
    assert registered == port_names()
    with pytest.raises(NotFound):
        nobody(None)
