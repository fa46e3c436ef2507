"""The format of an export: as named, else by the ending of its file, else OpenMetrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.transfer.exporting import Writable, writable_format


@pytest.mark.parametrize(
    ("output", "named", "kind"),
    [
        (None, None, Writable.OPENMETRICS),
        ("a.om", None, Writable.OPENMETRICS),
        ("a.txt", None, Writable.OPENMETRICS),
        ("a.Parquet", None, Writable.PARQUET),
        ("a.parquet", Writable.OPENMETRICS, Writable.OPENMETRICS),
        ("a.csv", Writable.PARQUET, Writable.PARQUET),
    ],
)
def test_a_format_is_named_or_told_by_the_ending(output, named, kind):
    assert writable_format(Path(output) if output else None, named) is kind


def test_what_is_only_imported_and_what_has_no_file_are_refused():
    with pytest.raises(InvalidError, match=r"\.csv is read by an import, but not written"):
        writable_format(Path("a.csv"), None)
    with pytest.raises(InvalidError, match="parquet is not written to stdout"):
        writable_format(None, Writable.PARQUET)
