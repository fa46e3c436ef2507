"""Since when the counters of an OpenMetrics file count: its `_created` lines, found before the samples are read.

They may stand behind the samples that they are about, so the file is gone through once for them alone. They become the
start of the samples of their metric, and no series of their own; as with a page that is scraped.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of, name_of, without
from holdfast.telemetry.metrics.transfer.rows import MOST_LINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CREATED: Final = "_created"
_COUNTING: Final = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
_MOST_KNOWN: Final = 200_000
_MOST: Final = 1_000_000  # starts that are remembered


class Starts:
    """The starts in one file."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._found: dict[Labels, list[tuple[int, int]]] = {}
        self._known: dict[Labels, list[tuple[int, int]]] = {}
        self._count = 0

    @classmethod
    def read(cls, file: Path, read_line: Callable[[bytes], tuple[Labels, int, float]]) -> Starts:
        """Go through a file; lines that are wrong, or do not end, are left to whoever reads the samples."""
        made = cls()
        with file.open("rb") as lines:
            while (line := lines.readline(MOST_LINE)) and len(line) < MOST_LINE:
                if line.startswith(b"# TYPE "):
                    words = line.decode(errors="replace").split()
                    if len(words) == 4 and words[3] in _COUNTING:
                        made._kinds[words[2]] = words[3]
                elif b"_created" in line and not line.startswith(b"#"):
                    made._take(line.strip(), read_line)
        return made

    def _take(self, line: bytes, read_line: Callable[[bytes], tuple[Labels, int, float]]) -> None:
        try:
            labels, ts_ms, value = read_line(line)
            start_ms = round(value * 1000)
        except (ValueError, OverflowError):
            return
        if not self.is_start(labels) or self._count >= _MOST:
            return
        family = name_of(labels).removesuffix(_CREATED)
        known = self._found.setdefault(_of_metric(family, labels), [])
        if not known or known[-1][1] != start_ms:
            known.append((ts_ms, start_ms))
            self._count += 1

    def is_start(self, labels: Labels) -> bool:
        """Tell whether a line says since when others count."""
        name = name_of(labels)
        return name.endswith(_CREATED) and name.removesuffix(_CREATED) in self._kinds

    def of(self, labels: Labels, ts_ms: int) -> int:
        """Give since when a sample counts, in ms; 0 if the file does not say."""
        if not self._found:
            return 0
        known = self._known.get(labels)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[labels] = sorted(self._found.get(self._metric(labels), ()))
        place = bisect_right(known, (ts_ms, 2**62)) - 1
        start_ms = known[max(place, 0)][1] if known else 0
        return start_ms if start_ms <= ts_ms else 0

    def _metric(self, labels: Labels) -> Labels:
        name = name_of(labels)
        for end in ("_total", "_bucket", "_count", "_sum"):
            family = name.removesuffix(end)
            if family != name and end in _COUNTING.get(self._kinds.get(family, ""), ()):
                return _of_metric(family, labels)
        return ()


def _of_metric(family: str, labels: Labels) -> Labels:
    return labels_of([(METRIC_NAME, family), *without(labels, METRIC_NAME, "le")])
