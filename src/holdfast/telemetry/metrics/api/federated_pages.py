"""Pages of `/prometheus/federate`: Prometheus' text format, or its protobuf, which alone can hold native histograms.

Which of them, and whether names may have any letters, the scraper says. Source: Prometheus 3, web/federate.go, and
prometheus/common, expfmt (Negotiate) and model (EscapeName).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.metrics.api.numbers import write_value
from holdfast.telemetry.metrics.exposition import metric_family
from holdfast.telemetry.metrics.histograms import Histogram, ResetHint, compact
from holdfast.telemetry.metrics.labels import METRIC_NAME

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels

Newest = Mapping["Labels", tuple[int, float | Histogram]]
"""The newest sample of each series: its time in ms, its value."""

_PROTOBUF: Final = "application/vnd.google.protobuf"
_FAMILY: Final = "io.prometheus.client.MetricFamily"
_TEXTS: Final = frozenset({"", "0.0.4", "1.0.0"})
_EXACT: Final = 2.0**53  # whole numbers below are exact
_UNTYPED, _HISTOGRAM, _GAUGE_HISTOGRAM = 3, 4, 5
_PLAIN: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PLAIN_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ODD: Final = re.compile(r"^[^a-zA-Z_:]|[^a-zA-Z0-9_:]")
_ODD_LABEL: Final = re.compile(r"^[^a-zA-Z_]|[^a-zA-Z0-9_]")
_QUOTED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_HINT: Final = "a scrape with scrape_native_histograms: true gets those whose bounds follow from a schema"


@dataclass(frozen=True, slots=True)
class PageForm:
    """How a page is written; names with letters that old Prometheuses do not take become underscores, or are kept."""

    is_protobuf: bool = False
    version: str = "0.0.4"
    keeps_names: bool = False

    @classmethod
    def of(cls, accept: str) -> PageForm:
        """Give what an `Accept` header likes best of what there is; text if it names nothing that is known."""
        keeps = "escaping=allow-utf-8" in accept.replace(" ", "")
        for media, given in sorted(_offers(accept), key=lambda offer: -_weight(offer[1])):
            if media == _PROTOBUF and (given.get("proto"), given.get("encoding")) == (_FAMILY, "delimited"):
                return cls(is_protobuf=True, keeps_names=keeps)
            if media == "text/plain" and given.get("version", "") in _TEXTS:
                return cls(version=given.get("version") or "0.0.4", keeps_names=keeps)
        return cls(keeps_names=keeps)

    @property
    def content_type(self) -> str:
        """Say what the page is."""
        escaping = "allow-utf-8" if self.keeps_names else "underscores"
        if self.is_protobuf:
            return f"{_PROTOBUF}; proto={_FAMILY}; encoding=delimited; escaping={escaping}"
        return f"text/plain; version={self.version}; charset=utf-8; escaping={escaping}"


def _offers(accept: str) -> Iterator[tuple[str, dict[str, str]]]:
    for offer in accept.split(","):
        media, *rest = (part.strip() for part in offer.split(";"))
        pairs = (part.partition("=") for part in rest)
        given = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
        if _weight(given) > 0:
            yield media.lower(), given


def _weight(given: Mapping[str, str]) -> float:
    try:
        return float(given.get("q", "1"))
    except ValueError:
        return 0.0


def write_page(newest: Newest, external: Mapping[str, str], form: PageForm) -> tuple[bytes, int]:
    """Give the page, and how many native histograms it leaves out.

    Series get the external labels that they do not have, and an empty `instance`: a scraper with `honor_labels` keeps
    it so.
    """
    rows = sorted(((dict(labels), sample) for labels, sample in newest.items()), key=_order)
    kept = [row for row in rows if row[0].get(METRIC_NAME) and _fits(row[1][1], form)]
    left_out = sum(isinstance(value, Histogram) and not _fits(value, form) for _, (_, value) in rows)
    around = {"instance": "", **external}
    if form.is_protobuf:
        return b"".join(_families(kept, around, form)), left_out
    lines = [*_lines(kept, around, form)]
    if left_out:
        lines.append(f"# native histograms have no form in this format, {left_out} are left out: {_HINT}\n")
    return "".join(lines).encode(), left_out


_Row = tuple[dict[str, str], tuple[int, float | Histogram]]


def _order(row: _Row) -> tuple[str, int, list[tuple[str, str]]]:
    labels, (_, value) = row
    return labels.get(METRIC_NAME, ""), _kind(value), list(labels.items())


def _fits(value: float | Histogram, form: PageForm) -> bool:
    return not isinstance(value, Histogram) or (form.is_protobuf and not value.is_custom)


def _lines(rows: Iterable[_Row], around: Mapping[str, str], form: PageForm) -> Iterator[str]:
    for name, series in groupby(rows, key=lambda row: _metric(row[0], form)):
        is_plain = _PLAIN.fullmatch(name) is not None
        yield f"# TYPE {name if is_plain else _quote(name)} untyped\n"
        for labels, (ts_ms, value) in series:
            if isinstance(value, Histogram):
                continue
            told = _told({**around, **labels}, form)
            pairs = ",".join([_pair(*pair) for pair in sorted(told.items())])
            opening = f"{name}{{{pairs}}}" if is_plain else f"{{{_quote(name)},{pairs}}}"
            yield f"{opening} {write_value(value)} {ts_ms}\n"


def _families(rows: Iterable[_Row], around: Mapping[str, str], form: PageForm) -> Iterator[bytes]:
    for (name, kind), series in groupby(rows, key=lambda row: (_metric(row[0], form), _kind(row[1][1]))):
        family = metric_family()(name=name, type=kind)
        for labels, (ts_ms, value) in series:
            metric = family.metric.add(timestamp_ms=ts_ms)
            told = _told({**around, **labels}, form)
            for key in sorted(told):
                metric.label.add(name=key, value=told[key])
            if isinstance(value, Histogram):
                _fill(metric.histogram, compact(value))
            else:
                metric.untyped.value = value
        message = family.SerializeToString()
        yield _varint(len(message)) + message


def _kind(value: float | Histogram) -> int:
    if not isinstance(value, Histogram):
        return _UNTYPED
    return _GAUGE_HISTOGRAM if value.hint is ResetHint.GAUGE else _HISTOGRAM


def _fill(message: Any, histogram: Histogram) -> None:
    message.schema, message.sample_sum = histogram.schema, histogram.sum
    message.zero_threshold = histogram.zero_threshold
    is_whole = _is_whole(histogram)
    if is_whole:
        message.sample_count, message.zero_count = int(histogram.count), int(histogram.zero_count)
    else:
        message.sample_count_float, message.zero_count_float = histogram.count, histogram.zero_count
    for word, side in (("positive", histogram.positive), ("negative", histogram.negative)):
        if not side.counts:
            continue
        getattr(message, f"{word}_span").add(offset=side.first, length=len(side.counts))
        if is_whole:
            steps = zip(side.counts, (0.0, *side.counts), strict=False)
            getattr(message, f"{word}_delta").extend(int(now - before) for now, before in steps)
        else:
            getattr(message, f"{word}_count").extend(side.counts)
    if not (message.positive_span or message.negative_span):
        message.positive_span.add(offset=0, length=0)  # else one without values would be taken for a classic one


def _is_whole(histogram: Histogram) -> bool:
    """Tell whether it counts things; such a one every Prometheus knows, and keeps in less room."""
    if histogram.hint is ResetHint.GAUGE:  # of one that is computed, some would be whole and others not
        return False
    counts = (histogram.count, histogram.zero_count, *histogram.positive.counts, *histogram.negative.counts)
    return all(0 <= count < _EXACT and count == int(count) for count in counts)


def _varint(size: int) -> bytes:
    found = bytearray()
    while size > 0x7F:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*found, size))


def _metric(labels: Mapping[str, str], form: PageForm) -> str:
    return labels[METRIC_NAME] if form.keeps_names else _ODD.sub("_", labels[METRIC_NAME])


def _told(labels: dict[str, str], form: PageForm) -> dict[str, str]:
    """Give the labels without the metric's name; of two that are written alike, the one that is called so."""
    own = {key: value for key, value in labels.items() if key != METRIC_NAME}
    if form.keeps_names or _are_plain(tuple(own)):
        return own
    return {**{_ODD_LABEL.sub("_", key): value for key, value in own.items()}, **_only_plain(own)}


@lru_cache(256)
def _are_plain(names: tuple[str, ...]) -> bool:
    return all(map(_PLAIN_LABEL.fullmatch, names))


def _only_plain(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if _PLAIN_LABEL.fullmatch(key)}


@lru_cache(4096)  # the same ones stand in thousands of lines
def _pair(name: str, value: str) -> str:
    return f"{name if _PLAIN_LABEL.fullmatch(name) else _quote(name)}={_quote(value)}"


def _quote(text: str) -> str:
    return f'"{text.translate(_QUOTED)}"'
