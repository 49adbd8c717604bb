"""Logs of every process: one line per event on standard error, for people or as JSON; secrets are masked."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from kit.settings import Settings

_SECRET_KEYS = re.compile(r"(authorization|api_?key|password|secret|token|digest_key)", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_SENDGRID_KEY = re.compile(r"SG\.[\w-]{8,}\.[\w-]{8,}")


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secrets by name, and mail addresses and SendGrid keys by shape, in every text of a log line."""
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _SENDGRID_KEY.sub("***", _ADDRESS.sub("***@***", value))
    return event


def configure_logs(settings: Settings) -> None:
    """Set up logging of this process once, for our own lines (structlog) and those of libraries (standard logging)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    # At DEBUG this library prints the API key and every payload; it never gets to.
    logging.getLogger("python_http_client").setLevel(logging.WARNING)
