from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stack.plan import Places, StackOptions, child_environment, choose_ports
from cli.stack.ports import PortClaims, any_free_port

PORTS = {"api": 1, "inbox": 2, "smtp": 3, "temporal": 4, "ui": 5}


@pytest.fixture
def claims() -> Iterator[PortClaims]:
    claims = PortClaims()
    yield claims
    claims.release()


def environment(**base: str) -> dict[str, str]:
    return child_environment(base, ports=PORTS, database_url="postgresql://here", places=Places(Path("/state")))


def test_children_are_told_where_everything_is() -> None:
    told = environment()
    assert told["DATABASE_URL"] == "postgresql://here"
    assert told["TEMPORAL_ADDRESS"] == "127.0.0.1:4"
    assert (told["DAUERLAUF_SMTP_HOST"], told["DAUERLAUF_SMTP_PORT"]) == ("127.0.0.1", "3")
    assert told["DAUERLAUF_API_PORT"] == "1"
    assert told["DAUERLAUF_PUBLIC_URL"] == "http://127.0.0.1:1"
    assert told["DAUERLAUF_STATE_DIRECTORY"] == "/state"


@pytest.mark.parametrize(
    "name",
    ["TEMPORAL_API_KEY", "TEMPORAL_TLS", "PGHOST", "PGPASSWORD", "SENDGRID_API_KEY", "DAUERLAUF_SMTP_PASSWORD"],
)
def test_nothing_of_the_caller_leads_a_child_out_of_the_stack(name: str) -> None:
    assert name not in environment(**{name: "from outside"})


def test_mail_goes_to_the_inbox_even_if_the_caller_uses_a_real_provider() -> None:
    assert environment(DAUERLAUF_MAIL_PROVIDER="sendgrid")["DAUERLAUF_MAIL_PROVIDER"] == "smtp"


def test_settings_that_concern_no_address_reach_the_children() -> None:
    assert environment(DAUERLAUF_DEFAULT_LOCALE="en")["DAUERLAUF_DEFAULT_LOCALE"] == "en"


def test_ports_of_last_time_are_taken_again_if_free(claims: PortClaims) -> None:
    remembered = {name: any_free_port() for name in PORTS}
    assert choose_ports(StackOptions(), remembered=remembered, claims=claims) == remembered


def test_a_set_port_goes_before_that_of_last_time(claims: PortClaims) -> None:
    wanted = any_free_port()
    chosen = choose_ports(StackOptions(api_port=wanted), remembered={"api": any_free_port()}, claims=claims)
    assert chosen["api"] == wanted


def test_every_server_gets_a_port_of_its_own(claims: PortClaims) -> None:
    same = any_free_port()
    chosen = choose_ports(StackOptions(), remembered=dict.fromkeys(PORTS, same), claims=claims)
    assert len(set(chosen.values())) == len(PORTS)
