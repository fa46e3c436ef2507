"""What a target exposed, as the strict parsers give it: families with samples; a fault is an error with its line.

Complete rather than fast; a scrape that saw the page's series before takes `template` instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kernel.errors import InvalidError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.labels import Labels

MAX_MS: Final = 2.0**62  # further timestamps are cut to this; the store refuses them as out of range


class ExpositionError(InvalidError):
    """A target's page is not in the format that it claims to be in; nothing of it was taken."""

    code = "exposition_invalid"


class PageExemplar(NamedTuple):
    """An example behind a sample, with its own time where it has one."""

    labels: Labels
    value: float
    ts_ms: int | None = None


class PageSample(NamedTuple):
    """One sample.

    Attributes:
        series: the bytes that name the series on the page; the same bytes always name the same labels.
        labels: the whole set, the name among them.
        value: 0.0 where a histogram stands.
        ts_ms: the target's own time; None where the page has none.
        exemplar: an example, in the text formats.
        line: its line of the page, from 1; 0 in protobuf.
        created: the line that tells since when this counts; 0 where there is none.
        start_ms: since when this counts; 0 if that is not known.
        histogram: a native histogram, in protobuf.
        exemplars: the examples of a native histogram.
        emptied: labels that the page gives no value, which are not among `labels`.
    """

    series: bytes
    labels: Labels
    value: float
    ts_ms: int | None = None
    exemplar: PageExemplar | None = None
    line: int = 0
    created: int = 0
    start_ms: int = 0
    histogram: Histogram | None = None
    exemplars: tuple[PageExemplar, ...] = ()
    emptied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """The samples that belong together, and what is said about them; `type` is the word of OpenMetrics."""

    name: str
    type: str = "unknown"
    help: str = ""
    unit: str = ""
    samples: tuple[PageSample, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page."""

    families: tuple[Family, ...]

    def samples(self) -> Iterator[PageSample]:
        """Go through the samples of all families, in the order of the page."""
        for family in self.families:
            yield from family.samples


def fault(line: int, message: str) -> ExpositionError:
    """Give the error for a line of the page (0 if it has none)."""
    return ExpositionError(message, place=Place("page", line) if line else None)


def in_ms(seconds: float) -> int:
    """Give whole milliseconds, cut off as Prometheus does; `seconds` is not NaN."""
    return int(max(-MAX_MS, min(MAX_MS, seconds * 1000)))
