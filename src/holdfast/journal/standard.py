"""Lets records of the standard `logging` module, so most libraries' records, come out as the journal's lines."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from structlog.typing import Processor

    from holdfast.journal.sinks import StreamSink

RECORD_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JournalHandler(logging.Handler):
    """Sends each record through the journal's processors; what was passed as `extra` becomes fields."""

    def __init__(self, processors: Sequence[Processor], sink: StreamSink) -> None:
        super().__init__()
        self._processors = processors
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        """Render and write one record."""
        try:
            self._sink.write_line(self._render(record))
        except Exception:  # noqa: BLE001 -- fence: plugin, a bad record must not end the program
            self.handleError(record)

    def _render(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        event: Any = {"event": record.getMessage(), "logger": record.name}
        for name, value in vars(record).items():
            if name not in RECORD_ATTRIBUTES:
                event[name] = value
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for process in self._processors:
            event = process(None, level, event)
        return str(event)


def join_standard_logging(handler: JournalHandler, level: int) -> None:
    """Make `handler` the root's only way to the terminal; handlers of other kinds stay."""
    root = logging.getLogger()
    for other in list(root.handlers):
        if isinstance(other, JournalHandler) or _is_plain_terminal(other):
            root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level)


def _is_plain_terminal(handler: logging.Handler) -> bool:
    return type(handler) is logging.StreamHandler and handler.stream in {sys.stdout, sys.stderr}
