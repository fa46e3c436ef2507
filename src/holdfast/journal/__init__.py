"""Structured logs for any Python program: one event name, its fields, one line.

Owns configuration, context that follows a request over threads, processes and wires, redaction, sampling, rendering,
files that rotate, shipping by OTLP, timers and the audit log, on top of structlog; records of the standard `logging`
module come out the same way. Refuses to configure anything before `configure` is called, and to make a program wait.
"""

from holdfast.journal.archives import Retention
from holdfast.journal.audit import AuditLog, verify_audit
from holdfast.journal.carriers import continue_from, extract, inject, inject_environ
from holdfast.journal.configuration import Journal, configure, preset
from holdfast.journal.context import bind, bound_fields, correlation_id, new_correlation_id
from holdfast.journal.files import LogFile
from holdfast.journal.holding import keep_on_error
from holdfast.journal.loggers import Logger, get_logger
from holdfast.journal.redaction import MASK, redact
from holdfast.journal.requests import AsgiContext, WsgiContext, grpc_metadata, httpx_hook
from holdfast.journal.sampling import Sampling
from holdfast.journal.shipping import Shipped, Shipper
from holdfast.journal.standard import JournalFormatter, JournalHandler
from holdfast.journal.threads import ContextExecutor, carry, process_initializer
from holdfast.journal.timing import timed

__all__ = [
    "MASK",
    "AsgiContext",
    "AuditLog",
    "ContextExecutor",
    "Journal",
    "JournalFormatter",
    "JournalHandler",
    "LogFile",
    "Logger",
    "Retention",
    "Sampling",
    "Shipped",
    "Shipper",
    "WsgiContext",
    "bind",
    "bound_fields",
    "carry",
    "configure",
    "continue_from",
    "correlation_id",
    "extract",
    "get_logger",
    "grpc_metadata",
    "httpx_hook",
    "inject",
    "inject_environ",
    "keep_on_error",
    "new_correlation_id",
    "preset",
    "process_initializer",
    "redact",
    "timed",
    "verify_audit",
]
