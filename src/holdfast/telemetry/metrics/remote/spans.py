"""Where in a 2.0 request each series stands, and what of it lies in the usual way: labels, one sample, metadata.

Looks at the bytes only; nothing is decoded before all series are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from holdfast.telemetry.metrics.remote.layouts import FULL_BYTES, ZERO_BYTES

_SERIES: Final = 0x2A
_LABELS: Final = 0x0A
_METADATA: Final = 0x2A
_SAMPLES: Final = {b"\x12\x10\x09": FULL_BYTES, b"\x12\x07\x10": ZERO_BYTES}


@dataclass(slots=True)
class Spans:
    """One entry per series, in the request's order.

    Attributes:
        packed: its label references, as a run of varints.
        said: the Metadata message of a usual one, empty without.
        sizes: bytes of the one sample of a usual one; 0 for any other.
        ends: where that sample ends.
        whole: where the others start and end, by their place among all.
    """

    packed: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    whole: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, packed: bytes, start: int, end: int) -> None:
        """Add a series that is not usual."""
        self.whole[len(self.packed)] = start, end
        self._append(packed, b"", 0, 0)

    def pass_usual(self, data: bytes, at: int, *, most: int) -> int:
        """Take at most `most` usual series from `at` on; give the place of the first that is not."""
        size = len(data) - 2
        while most and at < size and data[at] == _SERIES:
            length, start = data[at + 1], at + 2
            if length >= 0x80:
                high = data[start]
                if high >= 0x80:
                    break  # longer than 16 KiB
                length += (high << 7) - 0x80
                start += 1
            stop = start + length
            if stop > size + 2 or length < ZERO_BYTES + 2 or data[start] != _LABELS or data[start + 1] >= 0x80:
                break
            sample = start + 2 + data[start + 1]
            sample_bytes = _SAMPLES.get(data[sample : sample + 3], 0)
            end = sample + sample_bytes
            if not sample_bytes or end > stop:
                break
            said = b""
            if end != stop:
                if stop - end < 2 or data[end] != _METADATA or end + 2 + data[end + 1] != stop:
                    break
                said = data[end + 2 : stop]
            self._append(data[start + 2 : sample], said, sample_bytes, end)
            at = stop
            most -= 1
        return at

    def _append(self, packed: bytes, said: bytes, size: int, end: int) -> None:
        self.packed.append(packed)
        self.said.append(said)
        self.sizes.append(size)
        self.ends.append(end)
