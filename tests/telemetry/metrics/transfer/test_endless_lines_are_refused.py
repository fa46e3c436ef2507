"""A line or a row without an end is refused with its file and line, before it fills the memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.transfer.table_files import read_csv
from holdfast.telemetry.metrics.transfer.text_files import read_text

ENDLESS_BYTES = 20_000_000
READ = {
    ".om": lambda file: read_text(file, 0, in_seconds=True),
    ".prom": lambda file: read_text(file, 0, in_seconds=False),
    ".csv": lambda file: read_csv(file, 0),
}
HEADER = "metric,timestamp,value\nup,1,1\n"


@pytest.mark.parametrize(
    ("name", "start", "again", "line"),
    [
        ("a.om", "up 1 1.0\n", "x", 2),
        ("a.om", "up 1 1.0\n", "x_created", 2),
        ("a.prom", "up 1 1000\n", "x", 2),
        ("a.csv", HEADER, "x", 3),
        ("a.csv", HEADER, ",", 3),
        ("a.csv", HEADER, '"x\n",', 3),
        ("a.csv", "", "x,", 1),
    ],
)
def test_what_has_no_end_takes_little_memory(tmp_path: Path, name: str, start: str, again: str, line: int) -> None:
    file = tmp_path / name
    file.write_text(start + again * (ENDLESS_BYTES // len(again)))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidError) as caught:
            list(READ[file.suffix](file))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < ENDLESS_BYTES
    assert "longer than a megabyte" in caught.value.message
    assert caught.value.place.file == str(file)
    assert caught.value.place.line == line or f"line {line}:" in caught.value.message


def test_long_rows_are_read_one_after_the_other(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    row = '"' + "x\n" * 40_000 + '",1,1\n'
    file.write_text(HEADER.replace("metric", "metric,job").replace("up,", "up,a,") + f"up,{row}" * 30)
    assert len(list(read_csv(file, 0))) == 31
