"""`dauerlauf diagram --live`: the picture of what runs here, with who is where."""

from pathlib import Path

import pytest

from cli.picturing import diagram
from kit.errors import Invalid, NotFound
from tests.integration.cli.test_authoring import dauerlauf, here
from tests.integration.cli.test_publishing import file

__all__ = ["file", "here"]

pytestmark = pytest.mark.usefixtures("file")


async def test_a_published_journey_is_drawn_with_who_is_where(tmp_path: Path) -> None:
    code, output = await dauerlauf(diagram, "hello", "--live")
    assert code == 0
    assert 'step_pause("wait 30000 days<br/>2 waiting · 0 went on"):::wait' in output
    picture = tmp_path / "hello.svg"
    await dauerlauf(diagram, "hello", "--live", "--version", "1", "--output", picture)
    assert ">2 waiting</text>" in picture.read_text()


async def test_what_is_not_here_is_said() -> None:
    with pytest.raises(NotFound, match="There is no journey nope"):
        await dauerlauf(diagram, "nope", "--live")
    with pytest.raises(NotFound, match="has no version 9"):
        await dauerlauf(diagram, "hello", "--live", "--version", "9")
    with pytest.raises(Invalid, match="A file has no versions"):
        await dauerlauf(diagram, "hello.yaml", "--version", "9")
