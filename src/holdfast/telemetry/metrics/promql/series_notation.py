"""Series as rule tests write them: `up{job="x"} 1+1x3 _ stale {{count:3}}x2`, and since when counters count.

Forms: Prometheus' configuration/unit_testing_rules and promql/promqltest. A repeated value stands once more than its
number says, a repeated gap as often as it says. One histogram within: `histograms.notation`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.labels import METRIC_NAME, labels_of
from holdfast.telemetry.metrics.promql.histograms import add, parse_histogram, sub
from holdfast.telemetry.metrics.promql.literals import parse_duration
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.promql.positions import syntax_error
from holdfast.telemetry.metrics.promql.quoting import quote, unquote
from holdfast.telemetry.metrics.promql.stream import ParserOptions, TokenStream
from holdfast.telemetry.metrics.promql.tokens import METRIC_NAMES

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels

STALE: Final = float(np.uint64(STALE_BITS).view(np.float64))
MAX_VALUES: Final = 1_000_000  # of one series, so that a slip of the finger does not eat the memory

_NUMBER: Final = r"(?:(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[iI][nN][fF]|[nN][aA][nN])"
_ITEM: Final = re.compile(
    r"(?P<gap>_)(?:x(?P<gaps>[0-9]+))?"
    rf"|(?P<stale>stale)|(?P<value>[+-]?{_NUMBER})(?:(?P<step>[+-]{_NUMBER})?x(?P<times>[0-9]+))?"
    r"|(?P<histogram>\{\{[^{}]*\}\})(?:(?:(?P<sign>[+-])(?P<increment>\{\{[^{}]*\}\}))?x(?P<repeats>[0-9]+))?"
)
_START: Final = re.compile(
    r"(?P<gap>_)(?:x(?P<gaps>[0-9]+))?"
    r"|(?P<base>\*|[+-]?[0-9]+(?:ms|[smhdwy])?)(?:(?P<step>[+-][0-9]+(?:ms|[smhdwy])?)?x(?P<times>[0-9]+))?"
)
_SPACES: Final = re.compile(r"[ \t]*")
_HINT: Final = "counter_reset_hint"


class NotedValue(NamedTuple):
    """One point: a float, a histogram or, for a gap, None; and whether a histogram's hint was written."""

    value: float | Histogram | None
    has_hint: bool = False


@dataclass(frozen=True, slots=True)
class NotedSeries:
    """A series and its points, one per step."""

    labels: Labels
    values: tuple[NotedValue, ...]


GAP: Final = NotedValue(None)


def parse_series(text: str) -> NotedSeries:
    """Read a series and its points.

    Raises:
        QuerySyntaxError: it is none.
    """
    labels, end = _metric(text)
    values: list[NotedValue] = []
    at = _skipped(text, end)
    while at < len(text):
        item = _ITEM.match(text, at)
        if at == end or item is None or not _is_cut(text, item.end()):
            word = text[at:].split(maxsplit=1)[0]
            raise syntax_error(text, Span(at, at + len(word)), f"unexpected {quote(word)} in series values")
        values += _expanded(text, item)
        if len(values) > MAX_VALUES:
            raise syntax_error(text, Span(at, item.end()), f"more than {MAX_VALUES} values in one series")
        end = item.end()
        at = _skipped(text, end)
    return NotedSeries(labels, tuple(values))


def parse_starts(text: str) -> tuple[Labels, tuple[int | None, ...]]:
    """Read a series whose points say since when its counter counts: `name@st -30s-1mx2 _`.

    Gives milliseconds relative to each sample's own time, None where nothing is said; no labels for a bare `@st`. `*`
    stands for the one before.

    Raises:
        QuerySyntaxError: it is none.
    """
    head, _, rest = text.strip().partition("@st")
    starts: list[int | None] = []
    for word in rest.split():
        item = _START.fullmatch(word)
        if item is None:
            raise syntax_error(text, Span(0, len(text)), f"invalid @st item {quote(word)}")
        if item["gap"]:
            starts += [None] * int(item["gaps"] or 1)
            continue
        before = next((start for start in reversed(starts) if start is not None), 0)
        base = before if item["base"] == "*" else _signed_ms(item["base"])
        step = _signed_ms(item["step"] or "0")
        starts += [base + step * number for number in range(int(item["times"] or 0) + 1)]
    return _metric(head)[0] if head else (), tuple(starts)


def is_starts(text: str) -> bool:
    """Tell whether a line says since when counters count."""
    return text.split(maxsplit=1)[0].endswith("@st") if text.strip() else False


def parse_metric(text: str) -> Labels:
    """Read `name{label="value"}`, which names one series.

    Raises:
        QuerySyntaxError: it is none.
    """
    labels, end = _metric(text)
    if text[end:].strip():
        raise syntax_error(text, Span(end, len(text)), f"unexpected {quote(text[end:].strip())} after a metric")
    return labels


def _metric(text: str) -> tuple[Labels, int]:
    stream = TokenStream(text, ParserOptions())
    pairs: dict[str, str] = {}
    name = stream.take().text if stream.token.key in METRIC_NAMES else ""
    if stream.token.key == "{" and stream.token.start == stream.last_end():
        stream.take()
        while stream.token.key != "}":
            label, value = _pair(stream)
            pairs[label] = value
            if stream.token.key == ",":
                stream.take()
            elif stream.token.key != "}":
                raise stream.unexpected("label set", '"," or "}"')
        stream.take()
    elif not name:
        raise stream.unexpected()
    if name:
        pairs[METRIC_NAME] = name
    return labels_of(pairs), stream.last_end()


def _pair(stream: TokenStream) -> tuple[str, str]:
    token = stream.token
    if token.key not in {"identifier", "string"}:
        raise stream.unexpected("label set", 'identifier or "}"')
    stream.take()
    label = token.text if token.key == "identifier" else unquote(token.text)
    if token.key == "string" and stream.token.key != "=":
        return METRIC_NAME, label
    stream.expect("=", "label set", '"="')
    return label, unquote(stream.expect("string", "label set", "string").text)


def _skipped(text: str, at: int) -> int:
    spaces = _SPACES.match(text, at)
    return spaces.end() if spaces else at


def _is_cut(text: str, at: int) -> bool:
    return at == len(text) or text[at] in " \t"


def _expanded(text: str, item: re.Match[str]) -> list[NotedValue]:
    if item["gap"]:
        return [GAP] * int(item["gaps"] or 1)
    if item["stale"]:
        return [NotedValue(STALE)]
    if item["histogram"]:
        return _expanded_histograms(text, item)
    count = int(item["times"] or 0) + 1
    if count > MAX_VALUES:
        raise syntax_error(text, Span(*item.span()), f"more than {MAX_VALUES} values in one series")
    value, step = float(item["value"]), float(item["step"] or 0)
    values = []
    for _ in range(count):  # added up, not multiplied: tests compare what rounding gives
        values.append(NotedValue(value))
        value = value + step if item["step"] else value
    return values


def _expanded_histograms(text: str, item: re.Match[str]) -> list[NotedValue]:
    histogram, has_hint = parse_histogram(item["histogram"]), _HINT in item["histogram"]
    count = int(item["repeats"] or 0)
    if count > MAX_VALUES:
        raise syntax_error(text, Span(*item.span()), f"more than {MAX_VALUES} values in one series")
    if not item["increment"]:
        return [NotedValue(histogram, has_hint)] * (count + 1)
    increment, has_hint = parse_histogram(item["increment"]), _HINT in item["increment"]
    combine = add if item["sign"] == "+" else sub
    values = [NotedValue(histogram, has_hint)]
    for _ in range(count):
        if histogram.schema > increment.schema:
            problem = f"error combining histograms: cannot merge from schema {increment.schema} to {histogram.schema}"
            raise syntax_error(text, Span(*item.span()), problem)
        histogram = combine(histogram, increment).histogram
        values.append(NotedValue(histogram, has_hint))
    return values


def _signed_ms(word: str) -> int:
    duration_ms = parse_duration(word.lstrip("+-"))
    return -duration_ms if word[0] == "-" else duration_ms
