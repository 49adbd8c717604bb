"""`dauerlauf templates` and `refresh-templates`: a corrected text on its way to those inside."""

import asyncio
import shutil
from pathlib import Path

import pytest

from cli.authoring import publish_templates
from cli.pinning import refresh, templates
from kit.errors import Invalid
from messaging.template_source import packaged_templates
from tests.integration.cli.test_authoring import dauerlauf, here, shipped
from tests.integration.cli.test_publishing import file

__all__ = ["file", "here", "shipped"]

pytestmark = pytest.mark.usefixtures("file")


def corrected(folder: Path) -> Path:
    """The product's templates with another subject in `welcome`."""
    copy = Path(shutil.copytree(str(packaged_templates()), folder))
    head = copy / "welcome" / "template.yaml"
    head.write_text(head.read_text(encoding="utf-8").replace("Welcome to", "Well met at"), encoding="utf-8")
    return copy


@pytest.mark.usefixtures("shipped")
async def test_a_corrected_text_is_published_and_then_rolled_out(tmp_path: Path) -> None:
    await dauerlauf(publish_templates, await asyncio.to_thread(corrected, tmp_path / "templates"))
    assert (await dauerlauf(templates, "hello"))[1] == "version 1: welcome 1; the newest is 2\n"
    _, output = await dauerlauf(refresh, "hello")
    assert output == "hello: version 1 sends welcome: version 2 instead of 1 from now on.\n"
    assert (await dauerlauf(templates, "hello"))[1] == "version 1: welcome 2\n"
    _, output = await dauerlauf(refresh, "--all")
    assert "sends welcome: version 2 instead of 1" in output
    assert (await dauerlauf(refresh, "--all"))[1] == "Every template that is sent is the newest already.\n"


async def test_which_journeys_are_meant_is_said() -> None:
    for arguments in ((), ("hello", "--all")):
        with pytest.raises(Invalid, match="not said"):
            await dauerlauf(refresh, *arguments)
