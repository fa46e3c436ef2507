"""Writes answers of PromQL as JSON, piece by piece: a large one neither fills the memory nor waits to be whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.metrics.api.numbers import write_time, write_times, write_value, write_values
from holdfast.telemetry.metrics.labels import Labels, LabelSets
from holdfast.telemetry.metrics.promql import ValueType
from holdfast.telemetry.metrics.promql.histograms import json_buckets
from holdfast.telemetry.metrics.promql.quoting import legible

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.promql import Answer, Grid
    from holdfast.telemetry.metrics.selection import SeriesColumns

TRUNCATED: Final = "results truncated due to limit"
_CELLS: Final = 1 << 16  # places of a grid whose numbers are written together
_MOST_NOTES: Final = 10
_STANDING: Final = 1000  # label sets that are kept as they are written together, while they are chosen together
_REMEMBERED: Final = 8192  # label sets as they are written, some 300 bytes each: dashboards ask for the same ones again


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is wanted: of a query over a range, `limit` series at most (0 for all), with what it cost."""

    is_range: bool
    limit: int = 0
    stats: dict[str, Any] | None = None


def write_answer(answer: Answer, form: Form) -> Iterator[bytes]:
    """Give the body of a successful answer in pieces."""
    kind, pieces, count = _result(answer, form)
    yield b'{"status":"success","data":{"resultType":"' + kind.encode() + b'","result":'
    yield from pieces
    if form.stats is not None:
        yield b',"stats":' + orjson.dumps(form.stats)
    yield b"}"
    cut = (TRUNCATED,) if form.limit and count > form.limit else ()
    for level, notes in (("warning", (*cut, *answer.warnings)), ("info", answer.infos)):
        if notes:
            yield b',"' + level.encode() + b's":' + orjson.dumps(_first_notes(level, notes))
    yield b"}"


def _first_notes(level: str, notes: tuple[str, ...]) -> list[str]:
    """Give as many as Prometheus does: a rate of everything has one to say of each metric."""
    shown, left = list(notes[:_MOST_NOTES]), len(notes) - _MOST_NOTES
    return [*shown, f"{left} more {level} annotations omitted"] if left > 0 else shown


def _result(answer: Answer, form: Form) -> tuple[str, Iterator[bytes], int]:
    if answer.text is not None:
        at = write_time(int(answer.steps_ms[0]))
        return "string", iter([b"[" + at + b"," + orjson.dumps(legible(answer.text)) + b"]"]), 1
    if answer.series is not None:
        return "matrix", _write_all(_write_series(answer.series), form.limit), len(answer.series.labels)
    assert answer.grid is not None
    count = len(answer.grid.labels)
    if form.is_range:
        return "matrix", _write_all(_write_rows(answer.grid, answer.steps_ms), form.limit), count
    at = write_time(int(answer.steps_ms[0]))
    if answer.type is ValueType.SCALAR:
        value = write_value(float(answer.grid.values[0, 0])).encode()
        return "scalar", iter([b"[" + at + b',"' + value + b'"]']), 1
    return "vector", _write_vector(answer.grid, at, form.limit), count


def _write_all(rows: Iterator[bytes], limit: int) -> Iterator[bytes]:
    yield b"["
    is_first = True
    for number, row in enumerate(rows):
        if limit and number >= limit:
            break
        yield row if is_first else b"," + row
        is_first = False
    yield b"]"


def _write_vector(grid: Grid, at: bytes, limit: int) -> Iterator[bytes]:
    values = write_values(grid.values[:, 0])
    if grid.histograms is not None:
        yield from _write_all(_write_mixed_vector(grid, at, values), limit)
        return
    most = limit or len(values)
    openings, values = _write_metrics(grid.labels)[:most], values[:most]
    pieces = [b',"value":[' + at + b',"'] * (3 * len(openings))
    pieces[0::3] = openings
    pieces[2::3] = [value + b'"]},' for value in values]
    yield b"[" + b"".join(pieces)[:-1] + b"]"


def _write_metrics(labels: Sequence[Labels]) -> list[bytes]:
    """Give how each series begins."""
    known = labels.written if isinstance(labels, LabelSets) else None
    if known is None:
        known = [b'{"metric":' + _write_labels(each) for each in labels]
        if isinstance(labels, LabelSets) and len(labels) <= _STANDING:
            labels.written = known
    return known


def _write_mixed_vector(grid: Grid, at: bytes, values: list[bytes]) -> Iterator[bytes]:
    assert grid.histograms is not None  # for the types: `_write_vector` has looked
    for row, labels in enumerate(grid.labels):
        histogram = grid.histograms[row, 0]
        head = b'{"metric":' + _write_labels(labels)
        if histogram is None:
            yield head + b',"value":[' + at + b',"' + values[row] + b'"]}'
        else:
            yield head + b',"histogram":[' + at + b"," + _write_histogram(histogram) + b"]}"


def _write_rows(grid: Grid, steps_ms: npt.NDArray[np.int64]) -> Iterator[bytes]:
    """Give each series with its values; the times, which all share, are written once."""
    openings = [b'"],[' + time + b',"' for time in write_times(steps_ms)]
    height = max(1, _CELLS // max(len(openings), 1))
    for at in range(0, len(grid.labels), height):
        yield from _write_some_rows(grid, steps_ms, openings, slice(at, at + height))


def _write_some_rows(
    grid: Grid, steps_ms: npt.NDArray[np.int64], openings: list[bytes], rows: slice
) -> Iterator[bytes]:
    """Give some series; their numbers are written together, for many have few."""
    present = grid.present[rows]
    columns, values = np.nonzero(present)[1].tolist(), write_values(grid.values[rows][present])
    ends, begin = np.cumsum(np.count_nonzero(present, axis=1)).tolist(), 0
    for place, (labels, end) in enumerate(zip(grid.labels[rows], ends, strict=True)):
        histograms = None if grid.histograms is None else grid.histograms[rows][place]
        if histograms is not None and any(each is not None for each in histograms):
            yield _write_mixed(labels, steps_ms, grid.values[rows][place], present[place], histograms)
        elif end - begin == len(openings):
            yield _write_floats(labels, openings, values[begin:end])
        elif end > begin:
            yield _write_floats(labels, [openings[column] for column in columns[begin:end]], values[begin:end])
        begin = end


def _write_floats(labels: Labels, openings: list[bytes], values: list[bytes]) -> bytes:
    pieces = [b""] * (2 * len(openings))
    pieces[0::2] = openings
    pieces[1::2] = values
    pieces[0] = openings[0][3:]  # nothing to close before the first
    return b"".join((b'{"metric":', _write_labels(labels), b',"values":[', *pieces, b'"]]}'))


def _write_series(series: SeriesColumns) -> Iterator[bytes]:
    for row, labels in enumerate(series.labels):
        part = slice(int(series.offsets[row]), int(series.offsets[row + 1]))
        histograms = None if series.histograms is None else series.histograms[part]
        present = np.ones(part.stop - part.start, dtype=np.bool_)
        yield _write_mixed(labels, series.ts_ms[part], series.values[part], present, histograms)


def _write_mixed(
    labels: Labels,
    ts_ms: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.bool_],
    histograms: npt.NDArray[np.object_] | None,
) -> bytes:
    floats, others = [], []
    for index, (time, value) in enumerate(zip(write_times(ts_ms), write_values(values), strict=True)):
        histogram = None if histograms is None else histograms[index]
        if histogram is not None:
            others.append(b"[" + time + b"," + _write_histogram(histogram) + b"]")
        elif present[index]:
            floats.append(b"[" + time + b',"' + value + b'"]')
    body = b'{"metric":' + _write_labels(labels)
    if floats or not others:
        body += b',"values":[' + b",".join(floats) + b"]"
    if others:
        body += b',"histograms":[' + b",".join(others) + b"]"
    return body + b"}"


@lru_cache(_REMEMBERED)
def _write_labels(labels: Labels) -> bytes:
    try:
        return orjson.dumps(dict(labels))
    except TypeError:  # a value has bytes that are no UTF-8, which `label_replace` can make
        return orjson.dumps({legible(name): legible(value) for name, value in labels})


def _write_histogram(histogram: Histogram) -> bytes:
    document: dict[str, Any] = {"count": write_value(histogram.count), "sum": write_value(histogram.sum)}
    buckets = [
        [rule, write_value(lower), write_value(upper), write_value(count)]
        for rule, lower, upper, count in json_buckets(histogram)
    ]
    if buckets:
        document["buckets"] = buckets
    return orjson.dumps(document)
