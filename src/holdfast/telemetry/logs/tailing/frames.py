"""Messages of a tail, as Loki writes them: `streams` with their lines, `dropped_entries` with what was left out.

`dropped_entries` names a stream once, with its newest line; how many lines it was all together stands in `dropped`,
which is ours. Source: Grafana Loki's HTTP API, "Stream logs".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.telemetry.logs.api.results import CATEGORIZE, streams_data
from holdfast.telemetry.logs.querying import LinesAnswer, gather

if TYPE_CHECKING:
    from holdfast.telemetry.logs.pipeline import Entry
    from holdfast.telemetry.logs.tailing.arriving import Missed
    from holdfast.telemetry.metrics.labels import Labels

_MOST_LINES: Final = 500
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Turn:
    """What a tail gives at once: entries, oldest first, and what was missed before them."""

    entries: Sequence[Entry] = ()
    missed_lines: int = 0
    missed: dict[Labels, Missed] = field(default_factory=dict)


def write_frames(turn: Turn, *, is_categorized: bool) -> Iterator[tuple[str, int]]:
    """Give the messages of a turn, each with the number of its lines; no message for an empty turn."""
    dropped: dict[str, Any] = {}
    if turn.missed_lines:
        told = [{"timestamp": str(one.ts_ns), "labels": dict(labels)} for labels, one in turn.missed.items()]
        dropped = {"dropped_entries": told, "dropped": turn.missed_lines}
    parts = list(_cut(turn.entries)) or ([()] if dropped else [])
    for part in parts:
        data = streams_data(LinesAnswer(gather(part)), is_categorized=is_categorized)
        flags = {"encodingFlags": [CATEGORIZE]} if is_categorized else {}
        yield orjson.dumps({"streams": data["result"], **dropped, **flags}).decode(), len(part)
        dropped = {}


def _cut(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    begin, size = 0, 0
    for place, entry in enumerate(entries):
        size += len(entry.line)
        if place - begin == _MOST_LINES or (place > begin and size > _MOST_BYTES):
            yield entries[begin:place]
            begin, size = place, len(entry.line)
    if begin < len(entries):
        yield entries[begin:]
