"""Files of other programs: odd types of columns, names that need quotes, and what is no sample, named by its place."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.arrivals import MetricMetadata
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.transfer.examples import place_exemplars
from holdfast.telemetry.metrics.transfer.exporting import Series, write_openmetrics
from holdfast.telemetry.metrics.transfer.rows import Row, RowExemplar
from holdfast.telemetry.metrics.transfer.table_files import read_csv, read_parquet
from holdfast.telemetry.metrics.transfer.text_files import read_text

AT_S = 1_700_000_000
AT_MS = AT_S * 1000
A = (("__name__", "a"),)
A_X = (("__name__", "a"), ("x", "1"))
LABELS = pa.map_(pa.string(), pa.string())


def parquet(tmp_path: Path, **columns: Any) -> list[Row]:
    given = {"metric": ["a"], "timestamp": [AT_S], "value": [1.0], **columns}
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: column for name, column in given.items() if column is not None}), file)
    return list(read_parquet(file, 0))


def text(tmp_path: Path, content: str, *, in_seconds: bool = True) -> list[Row]:
    file = tmp_path / "a.om"
    file.write_text(content)
    return list(read_text(file, 0, in_seconds=in_seconds))


@pytest.mark.parametrize(
    ("columns", "labels", "ts_ms"),
    [
        ({"metric": pa.array([b"a"]), "x": pa.array([b"1"])}, A_X, AT_MS),
        ({"x": pa.array([None], pa.string())}, A, AT_MS),
        ({"labels": pa.array([[("x", "1"), ("y", None)]], LABELS)}, A_X, AT_MS),
        ({"labels": [{"x": 1, "y": None}]}, A_X, AT_MS),
        ({"timestamp": pa.array([date(2023, 11, 14)])}, A, 1_699_920_000_000),
        ({"timestamp": pa.array([b"2023-11-14T22:13:20Z"])}, A, AT_MS),
        ({"timestamp": None, "timestamp_ms": pa.array([AT_MS], pa.timestamp("ms"))}, A, AT_MS),
        ({"timestamp": pa.array([AT_MS * 10**6 + 1], pa.timestamp("ns", "Europe/Berlin"))}, A, AT_MS),
    ],
)
def test_columns_are_read_by_what_they_mean(tmp_path: Path, columns: Any, labels: Any, ts_ms: int) -> None:
    ((found, at, value, *_),) = parquet(tmp_path, **columns)
    assert (found, at, value) == (labels, ts_ms, 1.0)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [["1"]]}, "row 1: the column x holds lists, and a label is one text"),
        ({"labels": [{"x": ["1"]}]}, "row 1: the column labels holds lists, and a label is one text"),
        ({"metric": pa.array([b"\xff"])}, "row 1: "),
        ({"value": ["1_0"]}, "row 1: '1_0' is no number"),
    ],
)
def test_what_no_label_or_number_can_be_is_named(tmp_path: Path, columns: Any, words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        parquet(tmp_path, **columns)


def test_a_column_of_histograms_is_one_by_its_fields(tmp_path: Path) -> None:
    ((labels, *_, histogram),) = parquet(tmp_path, histogram=[{"x": "1"}])
    assert (labels, histogram) == (A_X, None)
    held = {"schema": 0, "count": 3, "sum": 1.5, "zero_threshold": 0.0, "zero_count": 1, "positive": None}
    ((labels, *_, histogram),) = parquet(tmp_path, histogram=[held], value=pa.array([None], pa.float64()))
    assert (labels, histogram) == (A, Histogram(count=3.0, sum=1.5, zero_count=1.0))
    with pytest.raises(InvalidError, match="row 1: the histogram cannot be read"):
        parquet(tmp_path, histogram=[{**held, "positive": {"first": 1}}])


@pytest.mark.parametrize("row", ["a,1_700_000_000,1", "a,1700000000,1_0", "a,1700000000,\u0661"])
def test_what_only_python_takes_for_a_number_is_none(tmp_path: Path, row: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"metric,timestamp,value\n{row}\n")
    with pytest.raises(InvalidError, match="is no "):
        list(read_csv(file, 0))
    with pytest.raises(InvalidError, match="is no "):
        text(tmp_path, "a 1_0 1700000000\n# EOF\n")


def test_names_that_need_quotes_make_the_round_trip(tmp_path: Path) -> None:
    series = [
        (("__name__", "http.requests"),),
        (("__name__", "http.requests"), ("http.method", 'a"b\\c\nd'), ("job", "j")),
        (("__name__", "a:b"), ("x", "}")),
        (("__name__", "up"),),
    ]
    written = io.BytesIO()
    write_openmetrics(iter([Series(labels, [(AT_MS, 1.0)]) for labels in series]), written, lambda _: None)
    assert written.getvalue().splitlines()[0] == b'{"http.requests"} 1 1700000000'
    rows = text(tmp_path, written.getvalue().decode())
    assert [row.labels for row in rows] == series


def test_exemplars_stand_beside_the_first_sample_at_or_behind_their_time() -> None:
    one, two, three, late = (RowExemplar((), 1.0, ts_ms) for ts_ms in (5, 6, 20, 31))
    long = RowExemplar((("trace_id", "x" * 130),), 1.0, 1)
    assert place_exemplars([10, 20, 30], [three, two, one, late, long]) == {0: one, 1: two, 2: three}
    assert place_exemplars([], [one]) == {}


def test_what_is_said_of_families_is_read_with_its_quotes_and_escapes(tmp_path: Path) -> None:
    said = '# TYPE "http.requests" gauge\n# HELP "http.requests" Say \\"hi\\",\\nthen \\\\.\n'
    (row,) = text(tmp_path, said + '{"http.requests"} 1 1700000000\n# EOF\n')
    assert row.metadata == MetricMetadata("http.requests", "gauge", 'Say "hi",\nthen \\.')
    plain = '# TYPE a gauge\n# HELP a Say \\"hi\\",\\nthen.\na 1 1700000000000\n'
    (row,) = text(tmp_path, plain, in_seconds=False)
    assert row.metadata == MetricMetadata("a", "gauge", 'Say \\"hi\\",\nthen.')


def test_dumps_of_promtool_are_read_and_native_histograms_in_them_named(tmp_path: Path) -> None:
    dump = '{__name__="a", x="1"} 1 1700000000000\n{__name__="b.c", "d.e"="2"} NaN 1700000000000\n'
    rows = text(tmp_path, dump, in_seconds=False)
    assert [row.labels for row in rows] == [A_X, (("__name__", "b.c"), ("d.e", "2"))]
    native = '{__name__="h"} {count:5, sum:18.4, [-0.001,0.001]:2, (0.5,1]:3} 1700000000000\n'
    with pytest.raises(InvalidError, match="line 3: a dump does not tell the buckets of native histograms exactly"):
        text(tmp_path, dump + native, in_seconds=False)
