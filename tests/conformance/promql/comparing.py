"""Answers against what a script wants, as Prometheus' own runner compares: 1e-6 relative, hints only where written."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np

from conformance.promql.scripts import Evaluation, Message
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Buckets, Histogram
from holdfast.telemetry.metrics.labels import Labels
from holdfast.telemetry.metrics.promql import Answer, NotedValue, ValueType
from holdfast.telemetry.metrics.promql.histograms import compact, write_histogram

EPSILON = 1e-6

Point = float | Histogram
Row = dict[int, Point]  # points by time


class MismatchError(AssertionError):
    """The answer is not what the script wants."""


@dataclass(frozen=True)
class Result:
    """An answer as rows; `scalar` and `text` for those types."""

    type: ValueType
    rows: list[tuple[Labels, Row]]
    scalar: float | None = None
    text: str | None = None


def result_of(answer: Answer) -> Result:
    """Turn columns into rows."""
    if answer.text is not None:
        return Result(answer.type, [], text=answer.text)
    if answer.series is not None:
        columns = answer.series
        rows = []
        for place, labels in enumerate(columns.labels):
            window = range(columns.offsets[place], columns.offsets[place + 1])
            kept = {int(columns.ts_ms[n]): _point(columns.values, columns.histograms, n) for n in window}
            rows.append((labels, kept))
        return Result(answer.type, rows)
    assert answer.grid is not None
    grid, times = answer.grid, answer.steps_ms.tolist()
    if answer.type is ValueType.SCALAR and len(times) == 1:
        return Result(answer.type, [], scalar=float(grid.values[0, 0]))
    rows = []
    for place, labels in enumerate(grid.labels):
        present = np.flatnonzero(grid.present[place])
        rows.append((labels, {times[n]: _point(grid.values, grid.histograms, (place, n)) for n in present}))
    return Result(answer.type, rows)


def compare(evaluation: Evaluation, result: Result) -> None:
    """Compare an answer.

    Raises:
        MismatchError: it differs; the message says how.
    """
    if evaluation.text is not None:
        _want(result.text == evaluation.text, f"wanted {evaluation.text!r}, got {result.text!r}")
        return
    if evaluation.scalar is not None:
        _want(result.scalar is not None, f"wanted the scalar {evaluation.scalar}, got {result.rows or result.text!r}")
        assert result.scalar is not None
        _want(almost(evaluation.scalar, result.scalar), f"wanted {evaluation.scalar}, got {result.scalar}")
        return
    _want(result.scalar is None, f"wanted a vector, got the scalar {result.scalar}")
    wanted = {noted.labels: _row(evaluation, noted.values) for noted in evaluation.series}
    if result.type is ValueType.MATRIX:
        ordered = [labels for labels, _ in result.rows]
        _want(evaluation.points_at_ms is not None or ordered == sorted(ordered), "the result is not sorted by labels")
    if evaluation.is_ordered:
        order = [labels for labels, _ in result.rows]
        _want(order == list(wanted), f"wanted the order {list(wanted)}, got {order}")
    for labels, row in result.rows:
        _want(labels in wanted, f"unexpected {show(labels)}: {_show_row(row)}")
        _compare_rows(labels, wanted[labels], row)
    missing = wanted.keys() - {labels for labels, _ in result.rows}
    lacking = [show(labels) for labels in missing if wanted[labels] or evaluation.end_ms is None]
    _want(not missing, f"missing {lacking or [show(labels) for labels in missing]}")


def check_messages(kind: str, wanted: list[Message], *, is_allowed: bool, found: tuple[str, ...]) -> None:
    """Each wanted message comes, and none that is not wanted."""
    _want(is_allowed or not found, f"no {kind} wanted, got {list(found)}")
    for message in wanted:
        _want(any(message.fits(each) for each in found), f"wanted {kind} {message}, got {list(found)}")
    if wanted:
        for each in found:
            _want(any(message.fits(each) for message in wanted), f"unexpected {kind} {each!r}")


def almost(left: float, right: float) -> bool:
    """Tell whether two floats are equal for Prometheus' tests; a stale marker equals only itself."""
    if _is_stale(left) or _is_stale(right):
        return _is_stale(left) and _is_stale(right)
    if left == right or (math.isnan(left) and math.isnan(right)):
        return True
    total, difference = abs(left) + abs(right), abs(left - right)
    if left == 0 or right == 0 or total < sys.float_info.min:
        return difference < EPSILON * sys.float_info.min
    return difference / min(total, sys.float_info.max) < EPSILON


def show(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"


def _row(evaluation: Evaluation, values: tuple[NotedValue, ...]) -> dict[int, NotedValue]:
    start, step = evaluation.start_ms, evaluation.step_ms
    if evaluation.points_at_ms is not None:
        start, _, step = evaluation.points_at_ms
    return {start + place * step: each for place, each in enumerate(values) if each.value is not None}


def _compare_rows(labels: Labels, wanted: dict[int, NotedValue], row: Row) -> None:
    times = f"wanted points at {sorted(wanted)}, got {_show_row(row)}"
    _want(wanted.keys() == row.keys(), f"{show(labels)}: {times}")
    for ts_ms, noted in wanted.items():
        got = row[ts_ms]
        want = noted.value
        assert want is not None
        told = f"{show(labels)} at {ts_ms}: wanted {_show(want)}, got {_show(got)}"
        if isinstance(want, Histogram):
            _want(isinstance(got, Histogram), told)
            assert isinstance(got, Histogram)
            _want(_is_same_histogram(want, got, has_hint=noted.has_hint), told)
        else:
            _want(not isinstance(got, Histogram) and almost(want, got), told)


def _is_same_histogram(wanted: Histogram, got: Histogram, *, has_hint: bool) -> bool:
    left, right = compact(wanted), compact(got)
    return (
        left.schema == right.schema
        and almost(left.count, right.count)
        and almost(left.sum, right.sum)
        and (not left.is_custom or left.custom_values == right.custom_values)
        and left.zero_threshold == right.zero_threshold
        and almost(left.zero_count, right.zero_count)
        and _are_same_buckets(left.negative, right.negative)
        and _are_same_buckets(left.positive, right.positive)
        and (not has_hint or left.hint is right.hint)
    )


def _are_same_buckets(left: Buckets, right: Buckets) -> bool:
    if not left.counts and not right.counts:
        return True
    return (
        left.first == right.first
        and len(left.counts) == len(right.counts)
        and all(almost(one, other) for one, other in zip(left.counts, right.counts, strict=True))
    )


def _point(values, histograms, place) -> Point:
    histogram = histograms[place] if histograms is not None else None
    return histogram if histogram is not None else float(values[place])


def _is_stale(value: float) -> bool:
    return math.isnan(value) and int(np.float64(value).view(np.uint64)) == STALE_BITS


def _show(point: Point) -> str:
    return write_histogram(point) + f" ({point.hint})" if isinstance(point, Histogram) else repr(point)


def _show_row(row: Row) -> str:
    return " ".join(f"{_show(point)}@{ts_ms}" for ts_ms, point in row.items())


def _want(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise MismatchError(otherwise)
