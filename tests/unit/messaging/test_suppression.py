import pytest
from pydantic import SecretStr

from journeys.values import MessageChannel
from messaging.suppression import address_digest, normalised

KEY = SecretStr("a key")


@pytest.mark.parametrize("spelling", ["Ada@Example.com", " ada@example.com ", "ada@EXAMPLE.COM", "ADA@example.com"])
def test_every_spelling_of_an_address_has_the_same_digest(spelling: str) -> None:
    assert address_digest(KEY, MessageChannel.EMAIL, spelling) == address_digest(
        KEY, MessageChannel.EMAIL, "ada@example.com"
    )


def test_an_international_domain_has_one_spelling() -> None:
    assert normalised("ada@xn--exmple-cua.com") == normalised("ada@EXÄMPLE.com") == "ada@exämple.com"


def test_what_is_no_address_can_be_suppressed_too() -> None:
    assert normalised(" NOT an address") == "not an address"


def test_another_key_gives_another_digest() -> None:
    one, other = (address_digest(key, MessageChannel.EMAIL, "a@example.com") for key in (KEY, SecretStr("another")))
    assert one != other
    assert len(one) == 32
