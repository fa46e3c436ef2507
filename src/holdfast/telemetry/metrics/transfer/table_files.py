"""Reads CSV and Parquet in the long form: one row per sample, columns for name, time and value, the others are labels.

The name is in `__name__`, `metric` or `name`; the time in `timestamp_ms` (milliseconds) or `timestamp` (seconds, or
ISO 8601); Parquet may have its labels in one map column `labels`, and native histograms in a column `histogram`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of
from holdfast.telemetry.metrics.transfer.histogram_columns import COLUMN, is_histogram, read_histogram
from holdfast.telemetry.metrics.transfer.rows import MOST_LINE, Row, number, whole_ms

if TYPE_CHECKING:
    from pathlib import Path

_Take = Callable[[Mapping[str, Any]], tuple[Labels, int, float]]
NAMES: Final = (METRIC_NAME, "metric", "name")
_BATCH: Final = 10_000


def read_csv(file: Path, position: int) -> Iterator[Row]:
    """Give the samples from row `position` (from 0) on.

    Raises:
        InvalidError: a column is missing, or a row is no sample; the message names it.
    """
    with file.open(newline="", encoding="utf-8-sig") as text:
        lines = _RowLines(text, file)
        reader = csv.reader(lines)
        try:
            header = next(reader, [])
            take = _taker(header, file)
            lines.begin_row()
            for place, fields in enumerate(reader):
                lines.begin_row()
                if place < position or not fields:
                    continue
                yield Row(*take(_paired(header, fields)), place + 1)
        except UnicodeDecodeError:
            message = f"behind line {reader.line_num} stands what is not UTF-8 text"
            raise InvalidError(message, hint="save it as UTF-8", place=Place(str(file))) from None
        except (ValueError, csv.Error) as error:
            raise InvalidError(f"{error}", place=Place(str(file), reader.line_num)) from None


class _RowLines:
    """Lines of a text, up to `MOST_LINE` letters of one row."""

    def __init__(self, text: TextIO, file: Path) -> None:
        self._text = text
        self._file = file
        self._read = self._first = 1
        self._left = MOST_LINE

    def begin_row(self) -> None:
        """Take that what comes now is of another row."""
        self._first, self._left = self._read, MOST_LINE

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(self._left):
            self._read += 1
            self._left -= len(line)
            if not self._left:
                hint = "is a quote or the end of a line missing?"
                raise InvalidError(
                    "the row is longer than a megabyte", hint=hint, place=Place(str(self._file), self._first)
                )
            yield line


def _paired(header: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    if len(fields) != len(header):
        raise ValueError(f"the row has {len(fields)} fields, the header has {len(header)}")
    return dict(zip(header, fields, strict=True))


def read_parquet(file: Path, position: int) -> Iterator[Row]:
    """Give the samples from row `position` on, a batch of rows in memory at a time; raises as `read_csv`."""
    import pyarrow.parquet as pq  # noqa: PLC0415 -- loads slowly

    with _readable(file), pq.ParquetFile(file) as table:
        take = _taker(table.schema_arrow.names, file)
        row = 0
        for group in range(table.num_row_groups):
            rows = table.metadata.row_group(group).num_rows
            if row + rows <= position:
                row += rows
                continue
            for batch in table.iter_batches(_BATCH, row_groups=[group]):
                for fields in batch.to_pylist(maps_as_pydicts="strict"):
                    row += 1
                    if row <= position:
                        continue
                    try:
                        yield _row(take, fields, row)
                    except (ValueError, TypeError) as error:
                        raise InvalidError(f"row {row}: {error}", place=Place(str(file))) from None


def _row(take: _Take, fields: dict[str, Any], row: int) -> Row:
    held = fields.get(COLUMN)
    if not is_histogram(held):
        return Row(*take(fields), row)
    labels, ts_ms, value = take({**fields, COLUMN: None, "value": math.nan})
    return Row(labels, ts_ms, value, row, histogram=read_histogram(held))


def count_rows(file: Path) -> int:
    """Give how many rows a Parquet file has."""
    import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

    with _readable(file):
        rows: int = pq.read_metadata(file).num_rows
    return rows


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Name the file where Arrow cannot read it."""
    import pyarrow as pa  # noqa: PLC0415 -- as above

    try:
        yield
    except (pa.ArrowException, OSError, KeyError) as error:
        hint = "is it whole, and Parquet? --format names another format"
        raise InvalidError(f"it cannot be read: {error}", hint=hint, place=Place(str(file))) from None


def _taker(header: Iterable[str], file: Path) -> _Take:
    columns = list(header)
    name = next((column for column in NAMES if column in columns), "")
    stamp = next((column for column in ("timestamp_ms", "timestamp") if column in columns), "")
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise InvalidError(f"the columns {', '.join(twice)} stand twice", place=Place(str(file), 1))
    missing = [word for word, found in (("metric", name), ("timestamp", stamp)) if not found]
    if missing or "value" not in columns:
        raise InvalidError(
            f"the columns {', '.join([*missing, *([] if 'value' in columns else ['value'])])} are missing",
            hint="columns are metric, timestamp (or timestamp_ms), value; all others are labels",
            place=Place(str(file), 1),
        )
    plain = [column for column in columns if column not in {name, stamp, "value"}]
    known: dict[tuple[Any, ...], Labels] = {}

    def take(fields: Mapping[str, Any]) -> tuple[Labels, int, float]:
        key = (fields[name], *(_frozen(column, fields[column]) for column in plain))
        labels = known.get(key)
        if labels is None:
            if len(known) > 100_000:
                known.clear()
            labels = known[key] = _labels(fields[name], {column: fields[column] for column in plain})
        at = fields[stamp]
        is_whole = stamp == "timestamp_ms" and not isinstance(at, date)
        ts_ms = whole_ms(at, in_seconds=False) if is_whole else read_time_ms(at)
        return labels, ts_ms, number(fields["value"])

    return take


def _labels(name: Any, columns: Mapping[str, Any]) -> Labels:
    if not name:
        raise ValueError("the row has no metric name")
    pairs: dict[str, str] = {}
    for column, value in columns.items():
        inner = value if isinstance(value, Mapping) else {column: value}
        pairs |= {_text(label): _text(text) for label, text in inner.items() if text is not None}
    return labels_of({**pairs, METRIC_NAME: _text(name)})


def _text(value: Any) -> str:
    """Give a name or value as text; Parquet of some writers has text as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _frozen(column: str, value: Any) -> Any:
    inner = value if isinstance(value, Mapping) else {"": value}
    if any(isinstance(each, (list, Mapping)) for each in inner.values()):
        raise ValueError(f"the column {column} holds lists, and a label is one text")
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value


def read_time_ms(value: Any) -> int:
    """Read a time: a number of seconds, ISO 8601 text, a datetime, or a date; without a zone it is UTC.

    Raises:
        ValueError: it is none, or beyond the year 9999.
    """
    moment = _text(value) if isinstance(value, bytes) else value
    if isinstance(moment, str):
        try:
            float(moment)
        except ValueError:
            with suppress(ValueError):
                moment = datetime.fromisoformat(moment)
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    return whole_ms(moment, in_seconds=True)
