"""The fast way through a page whose series are known: where values stand follows from the lines, only they are read.

A template remembers the page without its values. A new page that has the very same rest is read in a few numpy passes,
and judged by the same rules as the strict parser; anything unusual gives None, and the strict parser has the word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.exposition.openmetrics import parse_exemplar
from holdfast.telemetry.metrics.exposition.page import ExpositionError, PageExemplar
from holdfast.telemetry.metrics.exposition.template_rules import TemplateRules, rules_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.metrics.exposition.page import Page, PageSample

_EXEMPLAR: Final = re.compile(rb' # \{(?:[^"\n{}]|"(?:[^"\\\n]|\\[^\n])*+")*+\} [^ \n]++(?: [^ \n]++)?(?=\n)')
_NUMERALS: Final = b"0123456789.eE+-naNAiIfF\n"
_INTEGERS: Final = b"0123456789-\n"
_SIGNED_NAN: Final = re.compile(rb"[-+]nan", re.IGNORECASE)
_NEWLINE: Final = 10
_SPACE: Final = 32
_MAX_TIME_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Reading:
    """The values of a page, in the order of its lines.

    `ts_ms` is None where no line has a timestamp; else it is 0 where a line has none.
    """

    values: npt.NDArray[np.float64]
    ts_ms: npt.NDArray[np.int64] | None = None
    exemplars: tuple[tuple[int, PageExemplar], ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A page without its values."""

    rest: npt.NDArray[np.uint8]
    lines: int
    sample_lines: npt.NDArray[np.int64]
    key_sizes: npt.NDArray[np.int64]
    timed: npt.NDArray[np.bool_] | None
    takes_exemplar: npt.NDArray[np.bool_]
    rules: TemplateRules | None

    def read(self, page: bytes) -> Reading | None:
        """Read a page of the same series; None if it is not, or if the strict parser should look."""
        found: list[tuple[int, bytes]] = []
        if self.rules is not None and b" # {" in page:
            page, found = _without_exemplars(_ended(page))
        parts = self._parts(_ended(page))
        if parts is None:
            return None
        ends, rest, spans = parts
        if not np.array_equal(rest, self.rest):
            return None
        times = None
        if self.timed is not None:
            split = self._split_times(spans)
            if split is None:
                return None
            spans, times = split
        values = _floats(spans, len(self.sample_lines))
        if values is None or (self.rules is not None and not self.rules.hold(values)):
            return None
        exemplars = self._exemplars(found, ends) if found else ()
        return None if exemplars is None else Reading(values, times, exemplars)

    def _parts(self, page: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], bytes] | None:
        """Give the ends of the lines, the page without values, and the values with their line ends."""
        data = np.frombuffer(page, np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        if len(ends) != self.lines:
            return None
        starts = np.empty_like(ends)
        starts[0] = 0
        starts[1:] = ends[:-1] + 1
        begin = starts[self.sample_lines] + self.key_sizes
        end = ends[self.sample_lines]
        if (begin >= end).any():
            return None
        is_value = _between(begin, end + 1, len(data))
        return ends, data[~is_value], data[is_value].tobytes()

    def _split_times(self, spans: bytes) -> tuple[bytes, npt.NDArray[np.int64]] | None:
        assert self.timed is not None
        data = np.frombuffer(spans, np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        spaces = np.flatnonzero(data == _SPACE)
        if len(spaces) != int(self.timed.sum()):
            return None
        if not np.array_equal(np.searchsorted(ends, spaces), np.flatnonzero(self.timed)):
            return None  # one line has two spaces, or the wrong one has
        words = spans.replace(b" ", b"\n").split(b"\n")[:-1]
        at = np.cumsum(self.timed + np.int64(1)) - 1  # the last word of each line
        times = np.zeros(len(self.sample_lines), np.int64)
        stamps = [words[index] for index in at[self.timed]]
        joined = b"\n".join(stamps)
        if joined.translate(None, _INTEGERS) or max(map(len, stamps)) > _MAX_TIME_DIGITS:
            return None
        try:
            times[self.timed] = list(map(int, stamps))
        except ValueError:
            return None
        values = (words[index] for index in at - self.timed)
        return b"".join(value + b"\n" for value in values), times

    def _exemplars(
        self, found: list[tuple[int, bytes]], ends: npt.NDArray[np.int64]
    ) -> tuple[tuple[int, PageExemplar], ...] | None:
        lines = np.searchsorted(ends, [position for position, _ in found])
        indexes = np.searchsorted(self.sample_lines, lines)
        if (indexes >= len(self.sample_lines)).any() or not np.array_equal(self.sample_lines[indexes], lines):
            return None
        if not self.takes_exemplar[indexes].all():
            return None
        try:
            return tuple((int(index), parse_exemplar(text)) for index, (_, text) in zip(indexes, found, strict=True))
        except ExpositionError:
            return None


def make_template(page: bytes, parsed: Page, *, is_openmetrics: bool) -> tuple[Template, list[PageSample]] | None:
    """Make the template of a page that the strict parser has read; None if the page is not written plainly enough.

    Gives with it the samples in the order of the template's values. Plain means one space between series, value and
    timestamp; OpenMetrics with timestamps, and pages on which a series stands twice, are left to the strict parser.
    """
    samples = sorted(parsed.samples(), key=lambda sample: sample.line)
    is_timed = any(sample.ts_ms is not None for sample in samples)
    if not samples or (is_timed and is_openmetrics) or len({s.series for s in samples}) != len(samples):
        return None
    plain = _ended(page)
    if is_openmetrics and b" # {" in page:
        plain, _ = _without_exemplars(plain)
    lines = plain.split(b"\n")[:-1]
    for sample in samples:
        line = lines[sample.line - 1]
        words = line[len(sample.series) :].split(b" ")
        expected = 3 if sample.ts_ms is not None else 2
        if not line.startswith(sample.series) or len(words) != expected or words[0]:
            return None
    rules = rules_of(parsed, samples) if is_openmetrics else None
    empty = np.empty(0, np.uint8)
    draft = Template(
        rest=empty,
        lines=len(lines),
        sample_lines=np.array([sample.line - 1 for sample in samples], np.int64),
        key_sizes=np.array([len(sample.series) + 1 for sample in samples], np.int64),
        timed=np.array([sample.ts_ms is not None for sample in samples]) if is_timed else None,
        takes_exemplar=np.zeros(len(samples), np.bool_) if rules is None else rules.takes_exemplar,
        rules=rules,
    )
    parts = draft._parts(plain)  # noqa: SLF001 - the same class
    if parts is None:
        return None
    made = Template(
        parts[1], draft.lines, draft.sample_lines, draft.key_sizes, draft.timed, draft.takes_exemplar, draft.rules
    )
    return made, samples


def _between(begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.bool_]:
    """Give a mask of `size` that is true from each begin to its end; twice as fast as a cumulative sum of edges."""
    runs = np.empty(2 * len(begin) + 1, np.int64)
    runs[0] = begin[0]
    runs[1::2] = end - begin
    runs[2:-1:2] = begin[1:] - end[:-1]
    runs[-1] = size - end[-1]
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def _ended(page: bytes) -> bytes:
    return page if page.endswith(b"\n") else page + b"\n"


def _without_exemplars(page: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Cut the exemplars out; give them with the position at which each stood in what is left."""
    found: list[tuple[int, bytes]] = []
    pieces: list[bytes] = []
    position = left = 0
    for match in _EXEMPLAR.finditer(page):
        pieces.append(page[position : match.start()])
        left += match.start() - position
        found.append((left, match[0]))
        position = match.end()
    pieces.append(page[position:])
    return b"".join(pieces), found


def _floats(spans: bytes, count: int) -> npt.NDArray[np.float64] | None:
    if spans.translate(None, _NUMERALS):
        return None
    try:
        values = np.array(list(map(float, spans.split(b"\n")[:-1])), np.float64)
    except ValueError:
        return None
    if len(values) != count or (np.isnan(values).any() and _SIGNED_NAN.search(spans)):
        return None
    return values
