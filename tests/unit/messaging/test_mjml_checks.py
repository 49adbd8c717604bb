import pytest

from messaging.mjml_checks import mjml_problems


def problems(source: str) -> list[str]:
    return [str(problem) for problem in mjml_problems(source, place="welcome/de.mjml")]


GOOD = """<mjml lang="de">
  <mj-head><mj-all font-size="1px" /></mj-head>
  <mj-body>
    <!-- <mj-nonsense> is only spoken of -->
    <mj-section><mj-column><mj-text>a < b <br> <p>open</mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
"""


def test_a_good_mail_has_no_problems() -> None:
    """Plain HTML inside is the browser's business, not MJML's."""
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (
            GOOD.replace("mj-text>", "mj-txt>"),
            "welcome/de.mjml, line 5: MJML has no element <mj-txt>. Correct it, or use plain HTML inside.",
        ),
        (
            GOOD.replace("</mj-column>", ""),
            "welcome/de.mjml, line 5: </mj-section> closes nothing here. </mj-column> comes first (opened in line 5).",
        ),
        (GOOD.replace("</mjml>", ""), "welcome/de.mjml, line 1: <mjml> is never closed. Add </mjml> where it ends."),
        (GOOD + "</mjml>", "welcome/de.mjml, line 8: </mjml> closes nothing here. Correct it."),
    ],
)
def test_a_mistake_is_told_with_its_line_and_remedy(broken: str, expected: str) -> None:
    assert problems(broken)[0].startswith(expected)
