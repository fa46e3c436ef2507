"""What every reader of a format gives: counts of blocks, gathered in one tally."""

from __future__ import annotations

from typing import Protocol

from holdfast.telemetry.logs.files.tally import PatternBook, Tally


class Reader(Protocol):
    """Reads blocks of one format."""

    tally: Tally
    book: PatternBook

    def read(self, data: bytes, part: int) -> None:
        """Count the records of a block of whole lines; `part` is 0 to 2."""
        ...

    def finish(self) -> None:
        """Count what was put off, behind the last block."""
        ...
