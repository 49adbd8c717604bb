import socket
from collections.abc import Iterator

import pytest

from cli.stack.ports import LOOPBACK, PortClaims, any_free_port, is_free
from kit.errors import Unavailable


@pytest.fixture
def claims() -> Iterator[PortClaims]:
    claims = PortClaims()
    yield claims
    claims.release()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(taken_port: int) -> None:
    assert not is_free(taken_port)


def test_a_set_port_is_taken_exactly(claims: PortClaims) -> None:
    port = any_free_port()
    assert claims.choose(port, preferred=[], option="--api-port") == port


def test_a_set_port_that_is_taken_is_refused_with_the_option_to_change(claims: PortClaims, taken_port: int) -> None:
    with pytest.raises(Unavailable, match=rf"Port {taken_port} is taken .* --api-port"):
        claims.choose(taken_port, preferred=[], option="--api-port")


def test_without_a_wish_the_first_free_preferred_port_is_taken(claims: PortClaims, taken_port: int) -> None:
    free = any_free_port()
    assert claims.choose(None, preferred=[taken_port, free], option="--api-port") == free


def test_without_a_free_preferred_port_any_free_one_is_taken(claims: PortClaims, taken_port: int) -> None:
    port = claims.choose(None, preferred=[taken_port], option="--api-port")
    assert port != taken_port
    assert is_free(port)


def test_zero_means_any_free_port_and_not_the_preferred_one(claims: PortClaims) -> None:
    preferred = any_free_port()
    assert claims.choose(0, preferred=[preferred], option="--api-port") != preferred


def test_two_stacks_never_choose_the_same_port_even_before_either_listens(claims: PortClaims) -> None:
    usual = any_free_port()
    other = PortClaims()
    first = claims.choose(None, preferred=[usual], option="--api-port")
    second = other.choose(None, preferred=[usual], option="--api-port")
    other.release()
    assert first == usual
    assert second != usual


def test_a_released_port_can_be_claimed_again(claims: PortClaims) -> None:
    usual = any_free_port()
    other = PortClaims()
    other.choose(usual, preferred=[], option="--api-port")
    other.release()
    assert claims.choose(usual, preferred=[], option="--api-port") == usual
