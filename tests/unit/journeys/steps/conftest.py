"""What tests of several step kinds ask."""

from collections.abc import Callable
from typing import Any

import pytest

from journeys.checks import check
from journeys.findings import KnownTemplate
from tests.support.journeys import journey

MailWarnings = Callable[[list[dict[str, Any]]], list[str]]


@pytest.fixture
def mail_warnings() -> MailWarnings:
    """Where marketing mails may come before consent, in a journey of these steps."""
    known = {"voucher": KnownTemplate("marketing")}

    def places(steps: list[dict[str, Any]]) -> list[str]:
        findings = check(journey(steps=steps), known)
        return [finding.problem.where for finding in findings if finding.rule == "mail-before-consent"]

    return places
