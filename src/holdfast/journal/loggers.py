"""The logger that programs hold: structlog's, typed, and safe to make before `configure` has been called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog
from structlog.typing import FilteringBoundLogger as Logger

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from holdfast.journal.sinks import StreamSink

__all__ = ["Logger", "NamedWriter", "add_logger_name", "get_logger"]


def get_logger(name: str = "") -> Logger:
    """Make a logger, to be used as `log.info("order_placed", order_id=7)`.

    Args:
        name: Where the lines come from, usually `__name__`, shown as `logger`; none when empty.

    It may stand at the top of a module: what `configure` says later holds for it too.
    """
    return cast("Logger", structlog.get_logger(name) if name else structlog.get_logger())


class NamedWriter:
    """What structlog calls with a finished line, by the name of the level; it remembers whose line that is."""

    __slots__ = ("name", "sink")

    def __init__(self, sink: StreamSink, name: str = "") -> None:
        self.sink = sink
        self.name = name

    def msg(self, line: str) -> None:
        """Write one finished line."""
        self.sink.write_line(line)

    debug = info = warning = warn = error = critical = fatal = exception = log = msg


def add_logger_name(writer: Any, _level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the logger's name into an event, as a structlog processor."""
    if isinstance(writer, NamedWriter) and writer.name:
        event.setdefault("logger", writer.name)
    return event
