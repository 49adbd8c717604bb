"""`dauerlauf try` and `test-users`: only whom an operator has named is put into a draft."""

from pathlib import Path

import pytest

from cli.tryouts import add, list_test_users, remove, try_out
from crm.enrollments import EnrollmentRepository
from crm.journeys import JourneyRepository, plan_of
from kit.database import Sessions
from kit.errors import Conflict, Invalid, NotFound
from tests.integration.cli.test_authoring import GOOD, dauerlauf, here
from tests.support.builders import a_contact

__all__ = ["here"]

ADA = "ada@example.com"


@pytest.fixture
async def file(here: Sessions, tmp_path: Path) -> Path:
    async with here.begin() as session:
        await a_contact(session, user_id="ada")
    file = tmp_path / "hello.yaml"
    file.write_text(GOOD + "  - {id: pause, wait: 30d}\n")
    return file


async def test_a_file_is_tried_by_a_test_user_and_by_nobody_else(here: Sessions, file: Path) -> None:
    with pytest.raises(Conflict, match=r"hello is not tried: the contact is no test user: nobody has made it one"):
        await dauerlauf(try_out, file, ADA)
    assert (await dauerlauf(add, ADA))[1] == "ada@example.com is a test user.\n"
    _, output = await dauerlauf(try_out, file, ADA, "--waits", "1m", "--property", "amount=5")
    assert output.startswith("hello: is tried, enrollment ")
    assert "tried already, and the same draft" in (await dauerlauf(try_out, file, ADA))[1]
    async with here() as session:
        (test,) = await EnrollmentRepository(session).page(test=True)
        assert test.entry_properties == {"amount": 5}
        kept = await JourneyRepository(session).version("hello", test.version)
        assert kept is not None
        assert plan_of(kept).nodes["pause"].model_dump()["duration"] == "1m"
    assert "yes" in (await dauerlauf(list_test_users))[1]
    await dauerlauf(remove, ADA)
    assert ADA not in (await dauerlauf(list_test_users))[1]


async def test_what_cannot_be_asked_is_said(file: Path) -> None:
    with pytest.raises(Invalid, match="'soon' is no duration"):
        await dauerlauf(try_out, file, ADA, "--waits", "soon")
    with pytest.raises(Invalid, match="--arm takes a name and a value"):
        await dauerlauf(try_out, file, ADA, "--arm", "b")
    with pytest.raises(NotFound, match="no contact with the address nobody@"):
        await dauerlauf(add, "nobody@example.com")
