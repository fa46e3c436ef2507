"""Cuts the lines of access logs that are not as they should be, each for itself, with Arrow's CSV reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from holdfast.telemetry.logs.files.columns import Places, array_of

_DICTIONARY = pa.dictionary(pa.int32(), pa.binary())


@dataclass(frozen=True, slots=True)
class Column:
    """The word of each line: `words[codes[n]]`."""

    codes: Places
    words: Sequence[bytes]

    @property
    def counts(self) -> list[int]:
        """How often each word comes."""
        found: list[int] = np.bincount(self.codes, minlength=len(self.words)).tolist()
        return found


def cut_each(
    data: bytes, names: Sequence[str], wanted: Sequence[str], refuse: Callable[[bytes], None]
) -> dict[str, Column]:
    """Give the columns that are wanted.

    Args:
        data: lines; empty ones are passed over.
        names: of all columns.
        wanted: some of them.
        refuse: is told lines that have not so many columns.
    """

    def skip(row: pcsv.InvalidRow) -> str:
        refuse((row.text or "").encode())
        return "skip"

    table = pcsv.read_csv(
        pa.BufferReader(data),
        read_options=pcsv.ReadOptions(column_names=list(names), use_threads=False, block_size=len(data) + 1),
        parse_options=pcsv.ParseOptions(
            delimiter=" ", quote_char='"', double_quote=False, escape_char="\\", invalid_row_handler=skip
        ),
        convert_options=pcsv.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, _DICTIONARY),
            check_utf8=False,
            strings_can_be_null=False,
        ),
    )
    return {name: _column(table, name) for name in wanted}


def _column(table: pa.Table, name: str) -> Column:
    if not table.num_rows:
        return Column(np.zeros(0, np.int64), [])
    chunk = table.column(name).chunk(0)
    return Column(array_of(chunk.indices).astype(np.int64), chunk.dictionary.to_pylist())
