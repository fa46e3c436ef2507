"""Decides what a query reads when: raw samples, sums of 5 minutes, or sums of an hour.

Sums answer a window exactly when its edges are edges of buckets. So where raw samples are still there, sums are read
only for such windows; where they are gone, the best that is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from holdfast.telemetry.metrics.selection import Selection
from holdfast.telemetry.metrics.tables import SLOT_MS

RAW: Final = 0
MINUTES_MS: Final = 300_000
HOUR_MS: Final = 3_600_000
COUNTERS: Final = frozenset({"rate", "increase"})
DRAWN: Final = COUNTERS | {"delta"}
PLAIN: Final = ""
SUMMED: Final = DRAWN | {
    "avg_over_time",
    "absent_over_time",
    "count_over_time",
    "first_over_time",
    "last_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "sum_over_time",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Samples in (start, end] out of one resolution; `is_exact` when its sums answer as raw samples would."""

    resolution_ms: int
    start_ms: int
    end_ms: int
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """What there is.

    Attributes:
        clean: slots with true sums and their samples, 0 where they are to be summed up again.
        known: all slots that were ever summed up, also those that have got samples since.
        raw_until_ms: until when all raw samples of a slot are there, 0 where all have left; not known of every slot.
        now_ms: the time.
        raw_since_ms: since when raw samples are kept by the settings.
        cut_ms: before which a limit of size has taken them.
        minutes_since_ms: since when sums of 5 minutes are kept.
        kept: slots of which others' raw samples may have left, but none of the series that are asked for.
    """

    clean: Mapping[int, int]
    known: Mapping[int, int]
    raw_until_ms: Mapping[int, int]
    now_ms: int
    raw_since_ms: int
    cut_ms: int
    minutes_since_ms: int
    kept: frozenset[int] = frozenset()

    def has_raw(self, slot: int) -> bool:
        """Tell whether the raw samples of a slot are there: as they were counted, else as the settings say."""
        begin_ms, until_ms = slot * SLOT_MS, self.raw_until_ms.get(slot)
        if slot in self.kept:
            return True
        if begin_ms < self.cut_ms or until_ms == 0:
            return False
        return begin_ms >= self.raw_since_ms or (until_ms is not None and until_ms > self.now_ms)

    def doubtful(self, span: tuple[int, int]) -> list[int]:
        """Give the slots of which some raw samples are there, perhaps all of some series, which a rule keeps longer."""
        return [
            slot
            for slot in _slots(span)
            if self.known.get(slot)
            and not self.has_raw(slot)
            and self.raw_until_ms.get(slot) != 0
            and slot * SLOT_MS >= self.cut_ms
        ]

    def has_all_raw(self, span: tuple[int, int]) -> bool:
        """Tell whether no sum is needed for (start, end]."""
        return all(map(self.has_raw, _slots(span)))

    def of(self, slot: int, exact_ms: int, aligned_ms: int, coarse_ms: int) -> tuple[int, bool]:
        """Give the resolution to read a slot by, and whether it is exact; `choose_spans` says of what."""
        begin_ms, has_raw = slot * SLOT_MS, self.has_raw(slot)
        if not (self.clean if has_raw else self.known).get(slot) or begin_ms + SLOT_MS > self.now_ms:
            return RAW, True
        has_minutes = begin_ms >= self.minutes_since_ms
        best_ms = exact_ms if has_raw else aligned_ms
        if best_ms == HOUR_MS or (best_ms == MINUTES_MS and has_minutes):
            return best_ms, True
        if has_raw:
            return RAW, True
        return (coarse_ms if has_minutes else HOUR_MS), False


def function_of(selection: Selection) -> str | None:
    """Give the function that sums can answer, `PLAIN` for an instant vector's newest sample; None for raw only."""
    if selection.range_ms == 0:
        return None if selection.function.endswith("smoothed") else PLAIN
    return selection.function if selection.function in SUMMED else None


def exact_resolution(selection: Selection) -> int:
    """Give the coarsest resolution whose buckets answer, with raw samples around them; RAW if there is none."""
    if selection.step_ms:
        return _aligned(selection)
    # Of one window what is around its whole buckets is read raw.
    return next((width for width in (HOUR_MS, MINUTES_MS) if selection.range_ms >= 2 * width), RAW)


def _aligned(selection: Selection) -> int:
    """Give the coarsest resolution whose buckets' edges are edges of every window; RAW if there is none."""
    edges = (selection.step_ms, selection.range_ms, selection.end_ms)
    return next((width for width in (HOUR_MS, MINUTES_MS) if not any(edge % width for edge in edges)), RAW)


def choose_spans(selection: Selection, span: tuple[int, int], held: Held, exact_ms: int) -> list[Span]:
    """Give what to read for (start, end], in the order of time, without gaps.

    Where raw samples are there, sums of `exact_ms` are as good; where they are gone, those of as long as the windows'
    edges are edges of buckets, else the nearest there are.
    """
    wide = [width for width in (selection.step_ms, selection.range_ms) if width]
    coarse_ms = HOUR_MS if wide and min(wide) >= 2 * HOUR_MS else MINUTES_MS
    aligned_ms = _aligned(selection)
    start_ms, end_ms = span
    spans: list[Span] = []
    for slot in _slots(span):
        kind, is_exact = held.of(slot, exact_ms, aligned_ms, coarse_ms)
        part = Span(kind, max(start_ms, slot * SLOT_MS), min(end_ms, (slot + 1) * SLOT_MS), is_exact)
        is_framed = selection.step_ms == 0 and kind != RAW and held.has_raw(slot)
        for piece in _framed(part) if is_framed else [part]:
            is_more = bool(spans) and (spans[-1].resolution_ms, spans[-1].is_exact) == (piece.resolution_ms, is_exact)
            spans.append(replace(piece, start_ms=spans.pop().start_ms) if is_more else piece)
    return spans


def _slots(span: tuple[int, int]) -> range:
    return range(span[0] // SLOT_MS, (span[1] - 1) // SLOT_MS + 1)


def _framed(span: Span) -> list[Span]:
    """Cut a span into its whole buckets and the raw samples around them."""
    width = span.resolution_ms
    first, last = -(-span.start_ms // width) * width, span.end_ms // width * width
    if first >= last:
        return [Span(RAW, span.start_ms, span.end_ms)]
    pieces = [Span(RAW, span.start_ms, first), Span(width, first, last), Span(RAW, last, span.end_ms)]
    return [piece for piece in pieces if piece.start_ms < piece.end_ms]
