"""What a source gives: lines with where and when they were read, and the position behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import orjson

from holdfast.telemetry import SenderScrubber

MOST_LINES: Final = 5000
MOST_BYTES: Final = 2_000_000


class Entry(NamedTuple):
    """One record: `labels` of its stream, `pairs` of structured metadata."""

    labels: tuple[tuple[str, str], ...]
    ts_ns: int
    line: str
    pairs: dict[str, str]


@dataclass(slots=True)
class Batch:
    """Entries that go to the disk and to the server together."""

    entries: list[Entry] = field(default_factory=list)
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be added."""
        return len(self.entries) >= MOST_LINES or self.size >= MOST_BYTES

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        self.entries.append(entry)
        self.size += len(entry.line)

    def scrub(self, scrubber: SenderScrubber) -> None:
        """Take out what may not be kept, before anything of it is on a disk."""
        lines = scrubber.lines([entry.line for entry in self.entries])
        known = {labels: labels for labels in {entry.labels for entry in self.entries}}
        known |= dict(zip(known, scrubber.pairs(list(known)), strict=True))
        pairs = scrubber.pairs([tuple(entry.pairs.items()) for entry in self.entries])
        self.entries = [
            Entry(known[entry.labels], entry.ts_ns, line, dict(own))
            for entry, line, own in zip(self.entries, lines, pairs, strict=True)
        ]

    def body(self) -> bytes:
        """Give it as a push of Loki's."""
        streams: dict[tuple[tuple[str, str], ...], list[Any]] = {}
        for entry in self.entries:
            streams.setdefault(entry.labels, []).append([str(entry.ts_ns), entry.line, entry.pairs])
        return orjson.dumps(
            {"streams": [{"stream": dict(labels), "values": values} for labels, values in streams.items()]}
        )


class Source(Protocol):
    """Where lines come from."""

    def fill(self, batch: Batch, *, is_last: bool) -> None:
        """Add what there is, up to a full batch; at last also what might go on."""
        ...

    def positions(self) -> Mapping[str, Any]:
        """Give where reading goes on, once all that was filled is safe on the disk."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...
