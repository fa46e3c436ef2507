"""Vector matching: which series of the two sides meet, under which labels, and what is an error.

Prometheus matches anew at each step; here series are matched once, and their samples tell at which steps they meet.
Source: promql/engine.go, VectorBinop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Ints
from holdfast.telemetry.metrics.promql.evaluation.binary.operators import ARITHMETIC
from holdfast.telemetry.metrics.promql.evaluation.frames import METADATA_LABELS, Frame
from holdfast.telemetry.metrics.promql.nodes import Matching
from holdfast.telemetry.metrics.promql.quoting import quote

PART_BYTES: Final = 1 << 23
_PLAIN_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MANY_MATCHES: Final = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
NOT_UNIQUE: Final = "multiple matches for labels: grouping labels must ensure unique matches"


def signature_of(labels: Labels, matching: Matching) -> Labels:
    """Give the labels by which a series is matched."""
    if matching.is_on:
        return tuple(pair for pair in labels if pair[0] in matching.labels)
    return tuple(pair for pair in labels if pair[0] != METRIC_NAME and pair[0] not in matching.labels)


def signatures(series: Sequence[Labels], matching: Matching) -> list[Labels]:
    """Give the signature of each series."""
    chosen = frozenset(matching.labels) if matching.is_on else frozenset({METRIC_NAME, *matching.labels})
    if matching.is_on:
        return [tuple(pair for pair in labels if pair[0] in chosen) for labels in series]
    return [tuple(pair for pair in labels if pair[0] not in chosen) for labels in series]


def show_labels(labels: Labels) -> str:
    """Write a label set as Prometheus does in its messages."""
    return "{" + ", ".join(f"{_show_name(name)}={quote(value)}" for name, value in labels) + "}"


def _show_name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else quote(name)


def result_labels(op: str, many: Sequence[Labels], one: Sequence[Labels], matching: Matching) -> list[Labels]:
    """Give the labels of results; the many side's, with what `group_left(...)` takes from the other."""
    is_kept = _kept_names(op, matching)
    kept = [tuple(pair for pair in labels if is_kept(pair[0])) for labels in many]
    if not matching.include:
        return kept
    wanted = frozenset(matching.include)
    return [
        tuple(sorted((*mine, *(pair for pair in theirs if pair[0] in wanted and pair[1]))))
        for mine, theirs in zip(kept, one, strict=True)
    ]


def _kept_names(op: str, matching: Matching) -> Callable[[str], bool]:
    """Tell which labels of the many side a result has."""
    gone = frozenset(METADATA_LABELS if op in ARITHMETIC else ()) | frozenset(matching.include)
    if matching.card != "one-to-one":
        return lambda name: name not in gone
    if matching.is_on:
        return (frozenset(matching.labels) - gone).__contains__
    gone |= frozenset(matching.labels)
    return lambda name: name not in gone


@dataclass(frozen=True, slots=True)
class Pairing:
    """P pairs: rows of the many side and of the one side, and the number of the signature that they share."""

    many: Ints
    one: Ints
    signatures: Ints


def pair_up(many: tuple[Frame, list[Labels]], one: tuple[Frame, list[Labels]]) -> Pairing:
    """Pair each series of the many side with those of the one side that have its signature, if they ever meet.

    Where series come and go, most of one signature never do, and their pairs would be many.
    """
    numbers: dict[Labels, int] = {}
    other = np.array([numbers.setdefault(key, len(numbers)) for key in one[1]], dtype=np.int64)
    mine = np.array([numbers.get(key, -1) for key in many[1]], dtype=np.int64)
    order = np.argsort(other, kind="stable")
    first, end = (np.searchsorted(other, mine, side=side, sorter=order) for side in ("left", "right"))
    left, right = (np.packbits(side[0].present, axis=1) for side in (many, one))
    parts = [_met(rows, first, end, (left, right[order])) for rows in _some_rows(end - first, left.shape[1])]
    rows, places = (np.concatenate([np.zeros(0, dtype=np.int64), *(part[at] for part in parts)]) for at in (0, 1))
    return Pairing(rows, order[places], mine[rows])


def _some_rows(counts: Ints, width: int) -> Iterator[Ints]:
    """Give the rows that have partners, so many at a time as have a few megabytes of them."""
    rows = np.flatnonzero(counts)
    weight = np.cumsum(counts[rows] * width) // PART_BYTES
    return iter(np.split(rows, np.flatnonzero(np.diff(weight)) + 1)) if len(rows) else iter(())


def _met(rows: Ints, first: Ints, end: Ints, present: tuple[np.ndarray, np.ndarray]) -> tuple[Ints, Ints]:
    """Give the pairs of these rows with their partners that are both there at any step."""
    counts = end[rows] - first[rows]
    many = np.repeat(rows, counts)
    one = np.arange(len(many)) + np.repeat(first[rows] - (np.cumsum(counts) - counts), counts)
    meets = (present[0][many] & present[1][one]).any(axis=1)
    return many[meets], one[meets]


def refuse_duplicates(frame: Frame, keys: list[Labels], side: str, active: Bools) -> None:
    """Refuse two series of the one side that have the same signature at the same step, if that step is `active`.

    Raises:
        QueryExecutionError: it names both, as Prometheus does.
    """
    if len(set(keys)) == len(keys) or _meeting(frame, keys, range(len(keys)), active) is None:
        return
    in_order = sorted(range(len(keys)), key=frame.labels.__getitem__)  # so that a query always names the same two
    pair = _meeting(frame, keys, in_order, active)
    assert pair is not None
    one, two = sorted(show_labels(frame.labels[row]) for row in pair)
    raise QueryExecutionError(
        f"found duplicate series for the match group {show_labels(keys[pair[0]])} on the {side} hand-side of the "
        f"operation: [{one}, {two}];many-to-many matching not allowed: matching labels must be unique on one side"
    )


def _meeting(frame: Frame, keys: list[Labels], rows: Sequence[int], active: Bools) -> tuple[int, int] | None:
    """Find two series of the same signature that are there at the same active step; None where there are none."""
    taken: dict[Labels, Bools] = {}
    for place, row in enumerate(rows):
        there = frame.present[row] & active
        known = taken.get(keys[row])
        if known is not None and (known & there).any():
            earlier = (each for each in rows[:place] if keys[each] == keys[row])
            return next(each for each in earlier if (frame.present[each] & there).any()), row
        taken[keys[row]] = there if known is None else known | there
    return None


def refuse_overlaps(keys: Sequence[Hashable], happened: Bools, message: str) -> None:
    """Refuse two pairs of the same key at the same step.

    Raises:
        QueryExecutionError: with `message`.
    """
    if len(set(keys)) == len(keys):
        return
    seen: dict[Hashable, Bools] = {}
    for row, key in enumerate(keys):
        if key in seen:
            if (seen[key] & happened[row]).any():
                raise QueryExecutionError(message)
            seen[key] = seen[key] | happened[row]
        else:
            seen[key] = happened[row]


def by_signature(keys: list[Labels], present: Bools, wanted: list[Labels]) -> Bools:
    """Tell for each wanted signature at which steps any series has it."""
    steps = present.shape[1]
    where: dict[Labels, Bools] = {}
    for row, key in enumerate(keys):
        known = where.get(key)
        where[key] = present[row] if known is None else known | present[row]
    nothing = np.zeros(steps, dtype=np.bool_)
    found = [where.get(key, nothing) for key in wanted]
    return np.stack(found) if found else np.zeros((0, steps), dtype=np.bool_)


def fill_rows(frame: Frame, keys: list[Labels], other_keys: list[Labels], other: Frame, value: float) -> Frame | None:
    """Give rows of `value` where the other side stands alone, one for each signature; None if that is nowhere."""
    lacking = other.present & ~by_signature(keys, frame.present, other_keys)
    union: dict[Labels, Bools] = {}
    for row, key in enumerate(other_keys):
        if lacking[row].any():
            union[key] = union[key] | lacking[row] if key in union else lacking[row]
    if not union:
        return None
    present = np.stack(list(union.values()))
    return Frame(list(union), np.full(present.shape, value), present, np.zeros(len(union), dtype=np.bool_))


def append(frame: Frame, more: Frame | None) -> Frame:
    """Put the rows of another frame below."""
    if more is None:
        return frame
    histograms = None
    if frame.histograms is not None or more.histograms is not None:
        histograms = np.concatenate([_objects(frame), _objects(more)])
    return replace(
        frame,
        labels=[*frame.labels, *more.labels],
        values=np.concatenate([frame.values, more.values]),
        present=np.concatenate([frame.present, more.present]),
        drops=np.concatenate([frame.drops, more.drops]),
        histograms=histograms,
    )


def _objects(frame: Frame) -> np.ndarray:
    return np.full(frame.values.shape, None, dtype=np.object_) if frame.histograms is None else frame.histograms
