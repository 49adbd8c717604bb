from cli.stack.binaries import find_postgres_binary, find_temporal_binary
from cli.stack.embedded import SEARCH_ATTRIBUTES
from cli.stack.supervisor import RestartPolicy
from workflows import names


def test_the_server_is_told_exactly_the_search_attributes_journeys_use() -> None:
    kinds = {key.name: key.indexed_value_type.name.title() for key in names.SEARCH_ATTRIBUTES}
    assert kinds == SEARCH_ATTRIBUTES


def test_both_servers_come_with_the_packages() -> None:
    assert find_temporal_binary().is_file()
    assert find_postgres_binary("postgres").is_file()


def test_a_part_that_keeps_failing_is_started_ever_later_up_to_a_bound() -> None:
    policy = RestartPolicy(first_delay=0.5, longest_delay=3.0)
    assert [policy.delay(failures) for failures in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
