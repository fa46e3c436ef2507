"""Structured logs for any Python program: one event name, its fields, one line.

Owns configuration, context that follows a request, redaction and rendering, on top of structlog; records of the
standard `logging` module come out the same way. Refuses to configure anything before `configure` is called.
"""

from holdfast.journal.configuration import configure
from holdfast.journal.context import bind, bound_fields, correlation_id, new_correlation_id
from holdfast.journal.loggers import Logger, get_logger
from holdfast.journal.redaction import MASK, redact

__all__ = [
    "MASK",
    "Logger",
    "bind",
    "bound_fields",
    "configure",
    "correlation_id",
    "get_logger",
    "new_correlation_id",
    "redact",
]
