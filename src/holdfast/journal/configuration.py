"""The one call with which a program switches its journal on."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING

import structlog

from holdfast.journal.context import add_bound_fields
from holdfast.journal.loggers import NamedWriter, add_logger_name
from holdfast.journal.redaction import redact_event
from holdfast.journal.rendering import Format, choose_renderer, describe_error, make_stamp
from holdfast.journal.sinks import StreamSink
from holdfast.journal.standard import JournalHandler, join_standard_logging

if TYPE_CHECKING:
    from typing import TextIO

    from structlog.typing import Processor


def configure(
    *,
    service: str = "",
    level: str = "info",
    format: Format | str = Format.JSON,  # noqa: A002 -- the word that users look for
    stream: TextIO | None = None,
) -> StreamSink:
    """Send everything that this process logs, here and through `logging`, to one stream. May be called again.

    Args:
        service: The name that each line carries.
        level: The least level that is written: debug, info, warning, error or critical.
        format: "json" for machines, "logfmt" for both, "pretty" for a terminal.
        stream: Where lines go; standard error by default.

    Returns:
        The sink; its `dropped` counts the lines that the stream refused.

    Raises:
        ValueError: There is no such level or format.
    """
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise ValueError(f"{level!r} is no level; choose debug, info, warning, error or critical")
    if format not in set(Format):
        raise ValueError(f"{format!r} is no format; choose {', '.join(Format)}")
    sink = StreamSink(stream or sys.stderr)
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_bound_fields,
        add_logger_name,
        describe_error,
        make_stamp(service),
        redact_event,
        choose_renderer(Format(format), colours=sink.stream.isatty()),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=partial(NamedWriter, sink),
        cache_logger_on_first_use=False,  # so that loggers made at import follow a later configure
    )
    join_standard_logging(JournalHandler(processors, sink), threshold)
    return sink
