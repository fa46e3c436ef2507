"""Families as bytes for the database, and back: JSON in which numbers are texts, because NaN and infinities occur."""

from __future__ import annotations

from typing import Any

import orjson

from holdfast.telemetry.metrics.exposition import Family, PageSample
from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint


def write_families(families: tuple[Family, ...]) -> bytes:
    """Give the bytes."""
    return orjson.dumps([_family(family) for family in families])


def read_families(data: bytes) -> tuple[Family, ...]:
    """Give the families in `data`."""
    return tuple(_read_family(each) for each in orjson.loads(data))


def _family(family: Family) -> dict[str, Any]:
    samples = [
        [sample.labels, repr(sample.value), sample.start_ms, sample.histogram and _histogram(sample.histogram)]
        for sample in family.samples
    ]
    return {"name": family.name, "type": family.type, "help": family.help, "unit": family.unit, "samples": samples}


def _read_family(kept: dict[str, Any]) -> Family:
    samples = tuple(
        PageSample(
            b"",
            tuple((name, text) for name, text in labels),
            float(value),
            start_ms=start_ms,
            histogram=_read_histogram(histogram) if histogram else None,
        )
        for labels, value, start_ms, histogram in kept["samples"]
    )
    return Family(kept["name"], kept["type"], kept["help"], kept["unit"], samples)


def _histogram(histogram: Histogram) -> dict[str, Any]:
    return {
        "schema": histogram.schema,
        "numbers": [repr(each) for each in (histogram.count, histogram.sum, histogram.zero_threshold)],
        "zero_count": repr(histogram.zero_count),
        "positive": _buckets(histogram.positive),
        "negative": _buckets(histogram.negative),
        "custom_values": [repr(each) for each in histogram.custom_values],
        "hint": histogram.hint,
    }


def _read_histogram(kept: dict[str, Any]) -> Histogram:
    count, total, threshold = map(float, kept["numbers"])
    return Histogram(
        schema=kept["schema"],
        count=count,
        sum=total,
        zero_threshold=threshold,
        zero_count=float(kept["zero_count"]),
        positive=_read_buckets(kept["positive"]),
        negative=_read_buckets(kept["negative"]),
        custom_values=tuple(map(float, kept["custom_values"])),
        hint=ResetHint(kept["hint"]),
    )


def _buckets(buckets: Buckets) -> list[Any]:
    return [buckets.first, [repr(count) for count in buckets.counts]]


def _read_buckets(kept: list[Any]) -> Buckets:
    return Buckets(kept[0], tuple(map(float, kept[1])))
