"""Asking a server over HTTP whether it is there. Only while it starts and when somebody asks; nothing polls."""

import contextlib
import json
from http.client import HTTPException
from typing import Any
from urllib.request import ProxyHandler, build_opener

_SECONDS = 2.0


def read_json(url: str) -> Any | None:
    """The JSON document at a loopback URL; None if there is no answer, no success or no JSON."""
    opener = build_opener(ProxyHandler({}))  # a proxy from the environment has no business on the loopback
    with contextlib.suppress(OSError, HTTPException, ValueError), opener.open(url, timeout=_SECONDS) as answer:
        return json.loads(answer.read())
    return None


def answers(url: str) -> bool:
    """Whether a GET of a loopback URL succeeds."""
    opener = build_opener(ProxyHandler({}))
    with contextlib.suppress(OSError, HTTPException, ValueError), opener.open(url, timeout=_SECONDS) as answer:
        return bool(answer.status < 300)  # noqa: PLR2004 -- what HTTP calls success
    return False
