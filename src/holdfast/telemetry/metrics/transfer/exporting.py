"""Exports raw samples from a server: one metric at a time by remote read, into OpenMetrics text or Parquet.

Stale markers are left out, as they are no values. Native histograms have no form in OpenMetrics, nor exemplars in
Parquet; the former are counted.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.peers import OTHER_SERVER, refusal
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, name_of
from holdfast.telemetry.metrics.otlp import write_float
from holdfast.telemetry.metrics.remote import read_answer, read_request
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.transfer.examples import HAVE_EXEMPLARS, place_exemplars, read_exemplars
from holdfast.telemetry.metrics.transfer.histogram_columns import COLUMN, column_type, write_histogram
from holdfast.telemetry.metrics.transfer.rows import RowExemplar

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.transfer.sending import Destination

MOST_ANSWER_BYTES: Final = 1_000_000_000
_STALE: Final = struct.pack("<Q", STALE_BITS)
_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Series(NamedTuple):
    """What was found of one series: samples, and native histograms, each with its time (ms).

    `exemplars` are those beside samples, by the sample's place.
    """

    labels: Labels
    samples: list[tuple[int, float]]
    histograms: Sequence[tuple[int, Histogram]] = ()
    exemplars: Mapping[int, RowExemplar] = MappingProxyType({})


Found = Iterator[Series]
_Exemplars = dict[Labels, list[RowExemplar]]


class Writable(StrEnum):
    """What an export may be."""

    OPENMETRICS = "openmetrics"
    PARQUET = "parquet"


def writable_format(output: Path | None, named: Writable | None) -> Writable:
    """Give the format of an export: as named, else by the file's ending, else OpenMetrics.

    Raises:
        InvalidError: the ending is that of a format that is only imported, or Parquet has no file to go to.
    """
    ending = output.suffix.lower() if output is not None else ""
    if named is None and ending in {".csv", ".prom"}:
        hint = "--format openmetrics, or a name that ends with .om or .parquet"
        raise InvalidError(f"{ending} is read by an import, but not written", hint=hint, place=Place(str(output)))
    kind = named or (Writable.PARQUET if ending == ".parquet" else Writable.OPENMETRICS)
    if kind is Writable.PARQUET and output is None:
        raise InvalidError("parquet is not written to stdout", hint="name a file with --output")
    return kind


@dataclass(slots=True)
class Exported:
    """What was written."""

    series: int = 0
    samples: int = 0
    histograms_left_out: int = 0
    exemplars: int = 0
    exemplars_left_out: int = 0


def fetch(
    source: Destination,
    matchers: Sequence[Matcher],
    window_ms: tuple[int, int],
    counts: Exported,
    kind: Writable = Writable.OPENMETRICS,
) -> Found:
    """Give the matching series of a window, both ends included, metric by metric, with what `kind` has a form for.

    Raises:
        InvalidError: the server refused, such as for too many samples in one metric.
        UnavailableError: it does not answer.
    """
    for name in _names(source, matchers, window_ms):
        asked = (Matcher(METRIC_NAME, MatchOp.EQUAL, name), *matchers)
        body = snappy.compress(read_request(asked, *window_ms))
        answer = _ask(source, "POST", "/prometheus/api/v1/read", content=body, most_bytes=MOST_ANSWER_BYTES)
        has_exemplars = kind is Writable.OPENMETRICS and name.endswith(HAVE_EXEMPLARS)
        exemplars = _ask_exemplars(source, asked, window_ms) if has_exemplars else {}
        for labels, samples, histograms in _read(answer.content, source.url):
            kept = [(ts_ms, value) for ts_ms, value in samples if struct.pack("<d", value) != _STALE]
            native = [(ts_ms, each) for ts_ms, each in histograms if struct.pack("<d", each.sum) != _STALE]
            if kind is Writable.OPENMETRICS:
                counts.histograms_left_out += len(native)
                native = []
            if kept or native:
                counts.series += 1
                counts.samples += len(kept) + len(native)
                held = exemplars.get(labels, [])
                placed = place_exemplars([ts_ms for ts_ms, _ in kept], held)
                counts.exemplars += len(placed)
                counts.exemplars_left_out += len(held) - len(placed)
                yield Series(labels, kept, native, placed)


def _names(source: Destination, matchers: Sequence[Matcher], window_ms: tuple[int, int]) -> list[str]:
    named = [each.value for each in matchers if each.label == METRIC_NAME and each.op is MatchOp.EQUAL]
    if named:
        return named[:1]
    query = {**_window(window_ms), "match[]": _selector(matchers)}
    answer = _ask(source, "GET", f"/prometheus/api/v1/label/{METRIC_NAME}/values", params=query)
    try:
        names = answer.json()["data"]
    except (ValueError, LookupError, TypeError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidError(f"{source.url} answered what is no list of metrics", hint=OTHER_SERVER)
    return names


def _ask_exemplars(source: Destination, matchers: Sequence[Matcher], window_ms: tuple[int, int]) -> _Exemplars:
    query = {**_window(window_ms), "query": _selector(matchers)}
    answer = _ask(source, "GET", "/prometheus/api/v1/query_exemplars", params=query, most_bytes=MOST_ANSWER_BYTES)
    try:
        return read_exemplars(answer.json())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise InvalidError(f"{source.url} answered what are no exemplars", hint=OTHER_SERVER) from None


def _window(window_ms: tuple[int, int]) -> dict[str, Any]:
    return {"start": window_ms[0] / 1000, "end": window_ms[1] / 1000}


def _selector(matchers: Sequence[Matcher]) -> str:
    return "{" + ",".join(f"{_label(each.label)}{each.op}{quote(each.value)}" for each in matchers) + "}"


def _read(content: bytes, url: str) -> Iterator[tuple[Labels, list[tuple[int, float]], list[tuple[int, Histogram]]]]:
    try:
        plain = snappy.decompress(content, limit=MOST_ANSWER_BYTES, setting="what one metric may take")
        yield from read_answer(plain)
    except (InvalidError, ValueError, LookupError) as error:
        raise InvalidError(f"{url} answered what is no remote read: {error}", hint=OTHER_SERVER) from None


def _ask(source: Destination, method: str, path: str, **more: Any) -> httpx.Response:
    answer = source.ask(method, path, **more)
    if answer.is_success:
        return answer
    raise refusal(answer, source.url)


def write_openmetrics(found: Found, output: IO[bytes], tell: Callable[[int], None]) -> None:
    """Write OpenMetrics text with timestamps, as `promtool tsdb create-blocks-from openmetrics` reads it."""
    for labels, samples, _, exemplars in found:
        series = write_series(labels)
        for place, (ts_ms, value) in enumerate(samples):
            example = _example(exemplars[place]) if place in exemplars else ""
            output.write(f"{series} {write_float(value)} {_seconds(ts_ms)}{example}\n".encode())
        tell(len(samples))
    output.write(b"# EOF\n")


def write_parquet(found: Found, file: Path, tell: Callable[[int], None]) -> None:
    """Write Parquet in the long form: metric, labels (a map), timestamp, value or histogram; by series, row groups."""
    import pyarrow as pa  # noqa: PLC0415 -- loads slowly
    import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

    shape = pa.schema(
        [
            ("metric", pa.dictionary(pa.int32(), pa.string())),
            ("labels", pa.map_(pa.string(), pa.string())),
            ("timestamp", pa.timestamp("ms", "UTC")),
            ("value", pa.float64()),
            (COLUMN, column_type()),
        ]
    )
    with pq.ParquetWriter(file, shape, compression="zstd") as writer:
        for labels, samples, histograms, _ in found:
            pairs = [(name, value) for name, value in labels if name != METRIC_NAME]
            rows: list[tuple[int, float | None, dict[str, Any] | None]] = [
                (ts_ms, value, None) for ts_ms, value in samples
            ]
            if histograms:
                rows += [(ts_ms, None, write_histogram(each)) for ts_ms, each in histograms]
                rows.sort(key=itemgetter(0))
            columns = {
                "metric": pa.array([name_of(labels)] * len(rows)).dictionary_encode(),
                "labels": pa.array([pairs] * len(rows), shape.field("labels").type),
                "timestamp": pa.array([row[0] for row in rows], shape.field("timestamp").type),
                "value": pa.array([row[1] for row in rows], pa.float64()),
                COLUMN: pa.array([row[2] for row in rows], shape.field(COLUMN).type),
            }
            writer.write_table(pa.table(columns, schema=shape))
            tell(len(rows))


def write_series(labels: Labels) -> str:
    """Give a series as OpenMetrics writes it; names that only UTF-8 allows stand in quotes, a metric's inside."""
    name = name_of(labels)
    is_plain = _METRIC.fullmatch(name) is not None
    pairs = [] if is_plain else [quote(name)]
    pairs += [f"{_label(label)}={quote(value)}" for label, value in labels if label != METRIC_NAME]
    braces = f"{{{','.join(pairs)}}}" if pairs else ""
    return f"{name}{braces}" if is_plain else braces


def _label(name: str) -> str:
    return name if _LABEL.fullmatch(name) else quote(name)


def _example(exemplar: RowExemplar) -> str:
    pairs = ",".join(f"{_label(name)}={quote(value)}" for name, value in exemplar.labels)
    return f" # {{{pairs}}} {write_float(exemplar.value)} {_seconds(exemplar.ts_ms)}"


def quote(text: str) -> str:
    """Give a label value as PromQL and OpenMetrics write it."""
    return f'"{text.translate(_ESCAPES)}"'


def _seconds(ts_ms: int) -> str:
    whole, rest = divmod(abs(ts_ms), 1000)
    sign = "-" if ts_ms < 0 else ""
    return f"{sign}{whole}.{rest:03d}" if rest else f"{sign}{whole}"
