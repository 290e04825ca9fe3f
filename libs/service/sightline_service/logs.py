"""Structured logs on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from pydantic_settings import SettingsConfigDict

from sightline_service.settings import SettingsGroup


class LogSettings(SettingsGroup):
    """Logs of every service."""

    model_config = SettingsConfigDict(env_prefix="LOG_")

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe message that is written: `debug`, `info`, `warning` or `error`."""
    format: Literal["json", "console"] = "json"
    """`json`, one object a line; or `console`, for people."""


def configure_logging(settings: LogSettings, service: str) -> None:
    """Send structlog's and the standard library's records to stderr, one line each, naming `service`."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[structlog.types.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.format == "json"
        # Rich's tracebacks, the default where rich is installed, show the values of all variables.
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )

    def name_service(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        event["service"] = service
        return event

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[name_service, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)
