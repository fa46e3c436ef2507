"""Makes the pipeline that a configuration asks for: level, format and sinks by name, checked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from holdfast.journal.pipeline import Pipeline
from holdfast.journal.rendering import Format, choose_renderer
from holdfast.journal.sinks import StreamSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.journal.sampling import Sampling
    from holdfast.journal.sinks import LineSink


def read_level(level: str) -> int:
    """Give the number of a level; ValueError for what is none."""
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise ValueError(f"{level!r} is no level; choose debug, info, warning, error or critical")
    return threshold


def make_pipeline(
    service: str,
    threshold: int,
    shape: str,
    sink: LineSink,
    *,
    sampling: Sampling | None = None,
    json_sinks: Sequence[LineSink] = (),
) -> Pipeline:
    """Make a pipeline that writes `shape` to `sink`, and JSON to `json_sinks`; ValueError for an unknown shape."""
    if shape not in set(Format):
        raise ValueError(f"{shape!r} is no format; choose {', '.join(Format)}")
    takes = [each.write_line for each in json_sinks]
    if shape == Format.JSON:
        return Pipeline(service, threshold, [sink.write_line, *takes], sampling)
    pipeline = Pipeline(service, threshold, takes, sampling)
    colours = isinstance(sink, StreamSink) and sink.stream.isatty()
    pipeline.add_shaped_sink(choose_renderer(Format(shape), colours=colours), sink.write_line)
    return pipeline
