"""Lets records of the standard `logging` module, so most libraries' records, come out as the journal's lines.

`JournalHandler` and `JournalFormatter` are what a configuration of `logging.config.dictConfig` names; `configure` puts
a handler of the same kind at the root.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from holdfast.journal.files import LogFile
from holdfast.journal.loggers import NONE_BOUND
from holdfast.journal.pipelines import make_pipeline
from holdfast.journal.sinks import LineSink, StreamSink

if TYPE_CHECKING:
    from holdfast.journal.pipeline import Pipeline

RECORD_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def write_record(pipeline: Pipeline, record: logging.LogRecord) -> None:
    """Take a record to a pipeline; what was passed as `extra` becomes fields."""
    own: dict[str, Any] = {name: value for name, value in vars(record).items() if name not in RECORD_ATTRIBUTES}
    if record.exc_info:
        own["exc_info"] = record.exc_info
    if record.stack_info:
        own["stack"] = record.stack_info
    level = "critical" if record.levelno >= logging.CRITICAL else record.levelname.lower()
    pipeline.write(level, record.getMessage(), own, pipeline.head(record.name, NONE_BOUND))


class RootHandler(logging.Handler):
    """Sends each record through a pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.pipeline = pipeline

    def createLock(self) -> None:  # noqa: N802 -- the name that `logging` calls
        """Do without a lock: the sinks have their own."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit a record that passes the filters; from Python 3.13 on the parent's own way needs a lock."""
        passed: Any = self.filter(record)  # which from 3.12 on may give another record
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Render and write one record."""
        try:
            write_record(self.pipeline, record)
        except Exception:  # noqa: BLE001 -- fence: plugin, a bad record must not end the program
            self.handleError(record)


class JournalHandler(RootHandler):
    """A handler for `dictConfig`: `{"class": "holdfast.journal.JournalHandler", "service": "orders"}`.

    Args:
        service: The name that each line carries.
        format: json, logfmt or pretty.
        stream: Where lines go; standard error by default. Not together with `file`.
        file: A path instead; options of `LogFile`, such as `max_bytes` and `every`, may follow.
    """

    def __init__(
        self,
        *,
        service: str = "",
        format: str = "json",  # noqa: A002 -- the word that users look for
        stream: Any = None,
        file: str = "",
        **options: Any,
    ) -> None:
        if stream is not None and file:
            raise ValueError("lines go to stream= or to file=, not to both")
        if options and not file:
            raise ValueError(f"{', '.join(options)}: an option of a file, and file= is not given")
        self.sink: LineSink = LogFile(file, **options) if file else StreamSink(stream or sys.stderr)
        super().__init__(make_pipeline(service, logging.NOTSET, format, self.sink))


class JournalFormatter(logging.Formatter):
    """A formatter for handlers of `logging`: `{"()": "holdfast.journal.JournalFormatter", "service": "orders"}`.

    Args:
        service: The name that each line carries.
        format: json, logfmt or pretty.
    """

    def __init__(self, *, service: str = "", format: str = "json") -> None:  # noqa: A002 -- as above
        super().__init__()
        self._made = _Made()
        self._pipeline = make_pipeline(service, logging.NOTSET, format, self._made)

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of a record."""
        write_record(self._pipeline, record)
        return self._made.of_thread.line


class _Last(threading.local):
    line = ""


class _Made(LineSink):
    """Keeps the last line of each thread."""

    def __init__(self) -> None:
        super().__init__()
        self.of_thread = _Last()

    def write_line(self, line: str) -> None:
        """Keep a line."""
        self.of_thread.line = line


def join_standard_logging(handler: RootHandler, level: int) -> None:
    """Make `handler` the root's only way to the terminal; handlers of other kinds stay."""
    root = logging.getLogger()
    for other in list(root.handlers):
        if isinstance(other, RootHandler) or _is_plain_terminal(other):
            root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level)


def _is_plain_terminal(handler: logging.Handler) -> bool:
    return type(handler) is logging.StreamHandler and handler.stream in {sys.stdout, sys.stderr}
