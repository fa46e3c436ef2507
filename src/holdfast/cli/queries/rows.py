"""Answers as CSV (RFC 4180): a row per sample, a column per label, then time and value, or count and sum."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any


def write_rows(data: Mapping[str, Any]) -> str:
    """Write the `data` of an answer; the columns `count` and `sum` stand there when there are native histograms."""
    result = data["result"]
    if data["resultType"] in {"scalar", "string"}:
        result = [{"metric": {}, "value": result}]
    labels = sorted({label for series in result for label in series["metric"]})
    has_histograms = any("histogram" in series or "histograms" in series for series in result)
    tail = ["time", "value", "count", "sum"] if has_histograms else ["time", "value"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*labels, *tail])
    for series in result:
        own = [series["metric"].get(label, "") for label in labels]
        writer.writerows([*own, *cells[: len(tail)]] for cells in _samples(series))
    return out.getvalue()


def _samples(series: Mapping[str, Any]) -> Iterator[list[str]]:
    floats = series.get("values", [series["value"]] if "value" in series else [])
    histograms = series.get("histograms", [series["histogram"]] if "histogram" in series else [])
    rows = [(at, [value, "", ""]) for at, value in floats]
    rows += [(at, ["", histogram["count"], histogram["sum"]]) for at, histogram in histograms]
    for at, cells in sorted(rows, key=lambda row: float(row[0])):
        yield [datetime.fromtimestamp(float(at), UTC).isoformat(timespec="milliseconds"), *cells]
