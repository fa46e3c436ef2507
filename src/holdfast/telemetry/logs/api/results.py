"""Answers of queries in Loki's JSON: streams, matrix, vector, scalar.

With `X-Loki-Response-Encoding-Flags: categorize-labels` a stream bears its own labels only and each line brings its
structured metadata and parsed labels with it, as Grafana asks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from holdfast.telemetry.logs.querying import Line, LinesAnswer, NumbersAnswer, QueryCost

CATEGORIZE: Final = "categorize-labels"
ENCODING_HEADER: Final = "x-loki-response-encoding-flags"
_OF_INGESTERS: Final = (
    "compressedBytes",
    "decompressedBytes",
    "decompressedLines",
    "headChunkBytes",
    "headChunkLines",
    "totalBatches",
    "totalChunksMatched",
    "totalDuplicates",
    "totalLinesSent",
    "totalReached",
)
_MS: Final = 10**6


def streams_data(answer: LinesAnswer, *, is_categorized: bool) -> dict[str, Any]:
    """Give the data of a query for lines."""
    data: dict[str, Any] = {"resultType": "streams", "result": [], "stats": stats(answer.cost)}
    if not is_categorized:
        data["result"] = [
            {"stream": dict(each.labels), "values": [[str(line.ts_ns), line.text] for line in each.lines]}
            for each in answer.streams
        ]
        return data
    gathered: dict[tuple[tuple[str, str], ...], list[list[Any]]] = {}
    for each in answer.streams:
        values = gathered.setdefault(tuple(sorted(each.origin.items())), [])
        values += [_categorized(line) for line in each.lines]
    data["result"] = [{"stream": dict(labels), "values": values} for labels, values in sorted(gathered.items())]
    return {**data, "encodingFlags": [CATEGORIZE]}


def _categorized(line: Line) -> list[Any]:
    kinds = {"structuredMetadata": dict(line.metadata), "parsed": dict(line.parsed)}
    return [str(line.ts_ns), line.text, {name: pairs for name, pairs in kinds.items() if pairs}]


def matrix_data(answer: NumbersAnswer) -> dict[str, Any]:
    """Give the data of a metric query over a range."""
    grid = answer.grid
    times = [seconds_of(ts_ns) for ts_ns in answer.times_ns]
    result = [
        {
            "metric": dict(labels),
            "values": [
                [at, _value(float(value))]
                for at, value, is_there in zip(times, grid.values[row], grid.present[row], strict=True)
                if is_there
            ],
        }
        for row, labels in enumerate(grid.labels)
    ]
    return {"resultType": "matrix", "result": [each for each in result if each["values"]], "stats": stats(answer.cost)}


def instant_data(answer: NumbersAnswer) -> dict[str, Any]:
    """Give the data of a metric query at one moment."""
    grid, at = answer.grid, seconds_of(answer.times_ns[0])
    if answer.is_scalar:
        return {
            "resultType": "scalar",
            "result": [at, _value(float(grid.values[0][0]))],
            "stats": stats(answer.cost),
        }
    result = [
        {"metric": dict(labels), "value": [at, _value(float(grid.values[row][0]))]}
        for row, labels in enumerate(grid.labels)
        if grid.present[row][0]
    ]
    return {"resultType": "vector", "result": result, "stats": stats(answer.cost)}


def stats(cost: QueryCost) -> dict[str, Any]:
    """Give what a query cost, in the form of Loki's documentation; what we have not, such as chunks, is 0."""
    seconds = max(cost.seconds, 1e-9)
    summary = {
        "bytesProcessedPerSecond": int(cost.bytes / seconds),
        "linesProcessedPerSecond": int(cost.lines / seconds),
        "totalBytesProcessed": cost.bytes,
        "totalLinesProcessed": cost.lines,
        "execTime": cost.seconds,
        "queueTime": 0.0,
    }
    store = {
        "compressedBytes": 0,
        "decompressedBytes": cost.bytes,
        "decompressedLines": cost.lines,
        "chunksDownloadTime": 0.0,
        "totalChunksRef": 0,
        "totalChunksDownloaded": 0,
        "totalDuplicates": 0,
    }
    return {"ingester": dict.fromkeys(_OF_INGESTERS, 0), "store": store, "summary": summary}


def _value(value: float) -> str:
    """Write a value as Loki does: never with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")


def seconds_of(ts_ns: int) -> int | float:
    """Give a time in seconds, to the millisecond, as Prometheus' clients read it."""
    ts_ms = ts_ns // _MS
    return ts_ms // 1000 if ts_ms % 1000 == 0 else ts_ms / 1000
