"""Structured logs: one JSON object a line on standard error, tied to the trace and the request.

Nothing logs the content of a message. What is logged of a call is its method, its outcome and its ids.
"""

import logging
import sys
from typing import Any, cast

import structlog

from chassis.call import current


def configure(service: str, level: str) -> None:
    """Sends this process's logs, and those of its libraries, to standard error as JSON lines from `level` up."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _tie_to_call,
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    _SERVICE["service"] = service


_SERVICE: dict[str, str] = {}


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that says which part of the house speaks."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(part=name))


def _tie_to_call(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.update(_SERVICE)
    call = current()
    if call is not None:
        event["request_id"] = call.request_id
        if call.traceparent:
            event["trace_id"] = call.traceparent[3:35]
    return event
