from uuid import UUID, uuid4

import pytest

from crm.identities import Assignment, ContactReference
from kit.errors import Invalid

USER, EMAIL, ANONYMOUS = "user_id", "email", "anonymous_id"


def _known(*names: tuple[str, str, UUID]) -> Assignment:
    owners = {(kind, value): owner for kind, value, owner in names}
    return Assignment({**owners}, {(owner, kind) for kind, _, owner in names})


class TestReference:
    @pytest.mark.parametrize(
        "names", [{}, {"user_id": " "}, {"user_id": "a\0"}, {"anonymous_id": "x" * 300}, {"email": "nobody"}]
    )
    def test_without_a_usable_name_it_is_invalid(self, names: dict[str, str]) -> None:
        with pytest.raises(Invalid) as caught:
            ContactReference(**names)  # type: ignore[arg-type]

        assert caught.value.problems

    def test_every_finding_is_told_at_once(self) -> None:
        with pytest.raises(Invalid) as caught:
            ContactReference(user_id="", anonymous_id="")

        assert [problem.where for problem in caught.value.problems] == ["user_id", "anonymous_id"]

    def test_addresses_are_compared_in_lower_case(self) -> None:
        assert ContactReference(email="Ada@Example.com") == ContactReference(email="ada@example.COM")


class TestAssign:
    def test_an_unknown_reference_makes_a_contact_with_its_address(self) -> None:
        assignment = Assignment()

        assignment.assign(ContactReference(user_id="ada", email="ada@example.com"))

        assert assignment.newcomers == ["ada@example.com"]
        assert assignment.attached == {(USER, "ada"): 0, (EMAIL, "ada@example.com"): 0}

    def test_a_later_reference_finds_what_an_earlier_one_made(self) -> None:
        assignment = Assignment()

        for reference in (
            ContactReference(anonymous_id="browser"),
            ContactReference(anonymous_id="browser", user_id="ada"),
            ContactReference(user_id="ada"),
        ):
            assignment.assign(reference)

        assert assignment.assigned == [0, 0, 0]
        assert len(assignment.newcomers) == 1

    def test_the_strongest_known_name_decides(self) -> None:
        by_user, by_email = uuid4(), uuid4()
        assignment = _known((USER, "ada", by_user), (EMAIL, "ada@example.com", by_email))

        assignment.assign(ContactReference(user_id="ada", email="ada@example.com"))

        assert assignment.assigned == [by_user]
        assert assignment.attached == {}

    def test_a_new_user_id_joins_the_contact_known_by_address_only(self) -> None:
        contact = uuid4()
        assignment = _known((EMAIL, "ada@example.com", contact))

        assignment.assign(ContactReference(user_id="ada", email="ada@example.com"))

        assert assignment.assigned == [contact]
        assert assignment.attached == {(USER, "ada"): contact}

    def test_two_people_on_one_device_stay_two(self) -> None:
        """Ada has left her browser signed in; Grace signs in with an id that nobody bore."""
        ada = uuid4()
        assignment = _known((USER, "ada", ada), (ANONYMOUS, "browser", ada))

        assignment.assign(ContactReference(user_id="grace", anonymous_id="browser"))

        assert assignment.assigned == [0]
        assert assignment.attached == {(USER, "grace"): 0}

    def test_another_address_on_the_same_device_is_another_person(self) -> None:
        ada = uuid4()
        assignment = _known((EMAIL, "ada@example.com", ada), (ANONYMOUS, "browser", ada))

        assignment.assign(ContactReference(email="grace@example.com", anonymous_id="browser"))

        assert assignment.assigned == [0]

    def test_a_contact_id_decides_and_takes_the_names_nobody_bears(self) -> None:
        ada, other = uuid4(), uuid4()
        assignment = _known((EMAIL, "ada@example.com", other))

        assignment.assign(ContactReference(contact_id=ada, user_id="ada", email="ada@example.com"))

        assert assignment.assigned == [ada]
        assert assignment.attached == {(USER, "ada"): ada}
