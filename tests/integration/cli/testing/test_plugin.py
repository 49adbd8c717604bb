"""`dauerlauf test` and the plugin, on an author's own files in a folder of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("plugin")

JOURNEY = """
key: mine
name: Mine
owner: me
entry: {event: order.placed}
steps:
  - wait: 1d
  - send: {template: thanks}
"""
TESTS = """
async def test_thanks_are_sent(journey):
    async with journey("mine.yaml") as j:
        await j.event("order.placed", {"order_id": "o-1"})
        await j.advance(days=1)
        assert j.assert_sent("thanks", at="Tue 10:00").subject == "Thanks for o-1"


async def test_thanks_are_sent_at_nine(journey):
    async with journey("mine.yaml", contact={"locale": "en"}) as j:
        await j.event("order.placed", {"order_id": "o-1"})
        await j.finish()
        j.assert_sent("thanks", at="Tue 09:00")


async def test_nothing_needs_attention(journey):
    async with journey("mine.yaml") as j:
        await j.event("order.placed")
        await j.finish()


def test_a_plain_test_needs_no_server():
    assert True
"""
MAIL = """<mjml><mj-head><mj-title>Thanks</mj-title><mj-preview>Thanks</mj-preview></mj-head><mj-body>
<mj-section><mj-column><mj-text>Thank you. {{ sender.postal_address }}</mj-text></mj-column></mj-section>
</mj-body></mjml>"""
HEAD = """
class: transactional
subject: {de: "Thanks for {{ entry.order_id }}", en: "Thanks for {{ entry.order_id }}"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(JOURNEY)
    (tmp_path / "test_mine.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\ndauerlauf_templates = mails\n")
    template = tmp_path / "mails" / "thanks"
    template.mkdir(parents=True)
    (template / "template.yaml").write_text(HEAD)
    for language in ("de", "en"):
        (template / f"{language}.mjml").write_text(MAIL)
    return tmp_path


def ran(project: Path, *options: str) -> tuple[int, str]:
    program = str(Path(sys.executable).with_name("dauerlauf"))
    command = [program, "test", "--", "-p", "no:cacheprovider", "-p", "no:randomly", *options]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


# Each run starts its servers, so what authors may have switched on is switched on together.
@pytest.mark.parametrize("options", [[], ["-n", "2", "-o", "asyncio_mode=auto"]], ids=["alone", "xdist and asyncio"])
def test_an_authors_tests_run_and_fail_with_what_there_was_instead(project: Path, options: list[str]) -> None:
    code, told = ran(project, *options)
    assert code == 1, told
    assert "2 failed, 2 passed" in told, told
    assert "AssertionError: 'thanks' was not sent at Tue 09:00." in told
    assert "sent: 'thanks' on Tue 2 Jun 2026 10:00 by step 'send-1': Thanks for o-1" in told
    assert "Mon 1 Jun 2026 10:00    event order.placed" in told
    assert "The journey needs attention at 'send-1' since Tue 2 Jun 2026 10:00" in told
    assert "`{{ entry.order_id }}` has no value for this contact" in told


def test_the_exit_code_is_that_of_pytest(project: Path) -> None:
    assert ran(project, "-k", "test_a_plain_test")[0] == 0
    assert ran(project, "-k", "nothing_is_called_so")[0] == 5
