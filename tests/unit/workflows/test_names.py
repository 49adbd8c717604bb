from uuid import UUID

from workflows.names import journey_workflow_id

CONTACT = UUID(int=7)


def test_an_entry_key_never_appears_in_the_workflow_id() -> None:
    """It may be an e-mail address."""
    identifier = journey_workflow_id("welcome", CONTACT, "frieda@example.org")
    assert "frieda" not in identifier
    assert identifier.startswith(f"welcome:{CONTACT}:")


def test_the_same_entry_key_gives_the_same_id_and_another_another() -> None:
    first, again, other = (journey_workflow_id("welcome", CONTACT, key) for key in ("a", "a", "b"))
    assert first == again != other


def test_without_an_entry_key_there_is_one_id_per_journey_and_contact() -> None:
    assert journey_workflow_id("welcome", CONTACT) == f"welcome:{CONTACT}"
