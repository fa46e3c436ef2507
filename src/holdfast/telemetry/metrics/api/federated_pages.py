"""Pages of `/prometheus/federate`: Prometheus' text format, or its protobuf, which alone can hold native histograms.

Which of them, and whether names may have any letters, the scraper says. Source: Prometheus 3, web/federate.go, and
prometheus/common, expfmt (Negotiate) and model (EscapeName).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holdfast.telemetry.metrics.api.federated_labels import LabelTeller, quoted_unless_plain
from holdfast.telemetry.metrics.api.numbers import write_values
from holdfast.telemetry.metrics.exposition import metric_family
from holdfast.telemetry.metrics.histograms import Histogram, ResetHint, compact
from holdfast.telemetry.metrics.labels import name_of

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels

Newest = tuple["Labels", tuple[int, float | Histogram]]
"""A series and its newest sample: its time in ms, its value."""

_PROTOBUF: Final = "application/vnd.google.protobuf"
_FAMILY: Final = "io.prometheus.client.MetricFamily"
_TEXTS: Final = frozenset({"", "0.0.4", "1.0.0"})
_EXACT: Final = 2.0**53  # whole numbers below are exact
_UNTYPED, _HISTOGRAM, _GAUGE_HISTOGRAM = 3, 4, 5
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


def write_page(newest: Iterable[Newest], external: Mapping[str, str], form: PageForm) -> tuple[bytes, int]:
    """Give the page, family by family, and how many native histograms it leaves out; each series stands once."""
    teller = LabelTeller(external, keeps_names=form.keeps_names)
    alike: defaultdict[tuple[str, int], list[Newest]] = defaultdict(list)
    left_out = 0
    for row in newest:
        value = row[1][1]
        if not isinstance(value, Histogram):
            alike[name_of(row[0]), _UNTYPED].append(row)
        elif form.is_protobuf and not value.is_custom:
            alike[name_of(row[0]), _kind(value)].append(row)
        else:
            left_out += 1
    families: defaultdict[tuple[str, int], list[Newest]] = defaultdict(list)
    for (name, kind), rows in alike.items():
        if name:
            families[teller.name(name), kind] += rows
    order = sorted(families)
    if form.is_protobuf:
        return b"".join([_message(*key, sorted(families[key], key=_labels), teller) for key in order]), left_out
    page = [part for key in order for part in _lines(key[0], families[key], teller)]
    if left_out:
        page.append(f"# native histograms have no form in this format, {left_out} are left out: {_HINT}\n")
    return "".join(page).encode(), left_out


def _labels(row: Newest) -> str:
    """Give one text to sort by, which is compared in a fraction of the time that label sets take."""
    return "\0".join(chain.from_iterable(row[0]))


def _lines(metric: str, rows: list[Newest], teller: LabelTeller) -> Iterator[str]:
    name, is_plain = quoted_unless_plain(metric)
    yield f"# TYPE {name} untyped\n"
    opening = f"{name}{{" if is_plain else f"{{{name},"
    told = sorted([(*teller.text(labels), sample) for labels, sample in rows])
    values = write_values(np.array([value for *_, (_, value) in told], np.float64))
    for (_, labels, (ts_ms, _)), value in zip(told, values, strict=True):
        yield f"{opening}{labels}}} {value.decode()} {ts_ms}\n"


def _message(metric: str, kind: int, rows: list[Newest], teller: LabelTeller) -> bytes:
    family = metric_family()(name=metric, type=kind)
    for labels, (ts_ms, value) in rows:
        told = family.metric.add(timestamp_ms=ts_ms)
        for name, own in teller.pairs(labels):
            told.label.add(name=name, value=own)
        if isinstance(value, Histogram):
            _fill(told.histogram, compact(value))
        else:
            told.untyped.value = value
    message: bytes = family.SerializeToString()
    return _varint(len(message)) + message


def _kind(value: Histogram) -> int:
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
