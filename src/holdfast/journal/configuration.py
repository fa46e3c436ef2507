"""The one call with which a program switches its journal on, and the one that ends it in order."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import structlog

from holdfast.journal.files import LogFile
from holdfast.journal.loggers import LIVE, Joints, joint_for
from holdfast.journal.pipelines import make_pipeline, read_level
from holdfast.journal.rendering import Format
from holdfast.journal.sinks import LineSink, StreamSink
from holdfast.journal.standard import RootHandler, join_standard_logging

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TextIO

    from holdfast.journal.sampling import Sampling

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "development": {"level": "debug", "format": "pretty"},
    "test": {"level": "warning", "format": "logfmt"},
    "production": {"level": "info", "format": "json"},
}


def preset(environment: str, **changes: Any) -> dict[str, Any]:
    """Give the usual arguments of `configure` for an environment: `configure(service="x", **preset("production"))`.

    Args:
        environment: development (pretty, everything), test (logfmt, warnings) or production (JSON, from info).
        changes: What is to be otherwise.

    Raises:
        ValueError: There is no such preset.
    """
    found = PRESETS.get(environment)
    if found is None:
        raise ValueError(f"{environment!r} is no preset; choose {', '.join(PRESETS)}")
    return {**found, **changes}


class Journal:
    """What `configure` gives: the sinks of this process, and what got lost on the way to them."""

    def __init__(self, sink: LineSink, others: Sequence[LineSink]) -> None:
        self.sink = sink
        self.others = tuple(others)

    @property
    def dropped(self) -> int:
        """How many lines the sinks could not take."""
        return sum(each.dropped for each in (self.sink, *self.others))

    @property
    def sampled_out(self) -> int:
        """How many lines sampling left out."""
        return 0 if LIVE.pipeline is None else LIVE.pipeline.sampled_out

    @property
    def failed(self) -> int:
        """How many records could not be rendered; a line told of each."""
        return 0 if LIVE.pipeline is None else LIVE.pipeline.failed

    def close(self, deadline_s: float = 2.0) -> None:
        """Flush and close files and shippers; each has `deadline_s` seconds. Lines that come later are dropped."""
        for each in (self.sink, *self.others):
            each.close(deadline_s)


def configure(
    *,
    service: str = "",
    level: str = "info",
    format: Format | str = Format.JSON,  # noqa: A002 -- the word that users look for
    stream: TextIO | None = None,
    file: LogFile | str | Path | None = None,
    sampling: Sampling | None = None,
    ship: Sequence[LineSink] = (),
) -> Journal:
    """Send everything that this process logs, here and through `logging`, to one place. May be called again.

    Args:
        service: The name that each line carries.
        level: The least level that is written: debug, info, warning, error or critical.
        format: "json" for machines, "logfmt" for both, "pretty" for a terminal.
        stream: Where lines go; standard error by default.
        file: A file instead of a stream; a `LogFile` rotates.
        sampling: Which lines are left out.
        ship: Other sinks that take every line as JSON, such as a `Shipper`.

    Returns:
        The journal; its `dropped` counts the lines that the sinks refused.

    Raises:
        ValueError: There is no such level or format, or both `stream` and `file` are given.
    """
    if stream is not None and file is not None:
        raise ValueError("lines go to stream= or to file=, not to both; for a second place give ship=[...]")
    threshold = read_level(level)
    if file is None:
        sink: LineSink = StreamSink(stream or sys.stderr)
    else:
        sink = file if isinstance(file, LogFile) else LogFile(file)
    pipeline = make_pipeline(service, threshold, format, sink, sampling=sampling, json_sinks=ship)
    processors = Joints([joint_for(pipeline)])
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_Named,
        cache_logger_on_first_use=False,  # so that loggers made at import follow a later configure
    )
    LIVE.begin(pipeline, processors)
    join_standard_logging(RootHandler(pipeline), threshold)
    return Journal(sink, ship)


class _Named:
    """What structlog's own loggers stand on here: it remembers whose lines come, and is never asked to write one."""

    __slots__ = ("name",)

    def __init__(self, name: str = "") -> None:
        self.name = name


__all__ = ["PRESETS", "Journal", "configure", "preset"]
