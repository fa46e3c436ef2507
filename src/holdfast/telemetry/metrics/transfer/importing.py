"""Imports one file: batches of rows go out, the position is kept after each that the server has stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.metrics.transfer.positions import (
    Progress,
    forget_progress,
    identify,
    load_progress,
    save_progress,
)
from holdfast.telemetry.metrics.transfer.table_files import count_rows, read_csv, read_parquet
from holdfast.telemetry.metrics.transfer.text_files import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.telemetry.metrics.transfer.rows import Row
    from holdfast.telemetry.metrics.transfer.sending import Destination

BATCH: Final = 5_000
MOST_TOLD: Final = 5


class Format(StrEnum):
    """What a file may be."""

    OPENMETRICS = "openmetrics"
    PROMETHEUS = "prometheus"
    CSV = "csv"
    PARQUET = "parquet"


_ENDINGS: Final = {
    ".om": Format.OPENMETRICS,
    ".openmetrics": Format.OPENMETRICS,
    ".prom": Format.PROMETHEUS,
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
}


# What a file of text does not begin with: what it is then, and what to do about it.
_MARKS: Final = {
    b"\x1f\x8b": ("packed with gzip", "unpack it first: gunzip"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "unpack it first: unzstd"),
    b"BZh": ("packed with bzip2", "unpack it first: bunzip2"),
    b"PK\x03\x04": ("packed with zip", "unpack it first: unzip"),
    b"\xff\xfe": ("UTF-16 text", "save it as UTF-8"),
    b"\xfe\xff": ("UTF-16 text", "save it as UTF-8"),
    b"PAR1": ("Parquet", "--format parquet"),
}


@dataclass(slots=True)
class Report:
    """What became of a file, earlier imports of it included; `resumed_at` is where the last one had stopped."""

    file: str
    samples: int = 0
    refused: int = 0
    resumed_at: int = 0
    reasons: list[str] = field(default_factory=list)


def format_of(file: Path, named: Format | None) -> Format:
    """Give the format of a file: as named, else by its ending.

    Raises:
        InvalidError: neither tells.
    """
    known = named or _ENDINGS.get(file.suffix.lower())
    if known is None:
        words = ", ".join(Format)
        raise InvalidError("the ending does not tell the format", hint=f"--format {words}", place=Place(str(file)))
    return known


def size_of(file: Path, kind: Format) -> int | None:
    """Give the position at the end of the file, for a progress bar; None if only reading tells."""
    if kind is Format.PARQUET:
        return count_rows(file)
    return None if kind is Format.CSV else file.stat().st_size


def import_file(
    file: Path,
    kind: Format,
    destination: Destination,
    *,
    tenant: str = "",
    is_restarting: bool = False,
    tell: Callable[[int], None] | None = None,
) -> Report:
    """Send all of a file, or what an earlier import left of it.

    Args:
        file: what to send.
        kind: its format.
        destination: where to.
        tenant: whose it becomes, to tell one import from another.
        is_restarting: begin at the start in any case.
        tell: is called with the position after each batch.

    Raises:
        InvalidError: the file cannot be read on, what stands before is stored; or the server refused a whole batch.
        UnavailableError: the server does not answer; the same import goes on from there later.
    """
    identity = identify(file, kind, destination.url, tenant)
    progress = Progress(identity) if is_restarting else load_progress(file, identity)
    report = Report(str(file), progress.samples, progress.refused, progress.position)
    if kind is not Format.PARQUET:
        _refuse_packed(file)
    for batch in _batches(_read(file, kind, progress.position), report):
        stored, reason = destination.send(batch)
        report.samples += stored
        report.refused += len(batch) - stored
        if reason and len(report.reasons) < MOST_TOLD:
            report.reasons.append(reason)
        progress = replace(progress, position=batch[-1].position, samples=report.samples, refused=report.refused)
        try:
            save_progress(file, progress)
        except OSError as error:
            note = f"its progress cannot be kept beside it ({error.strerror}): if it breaks off, it begins anew"
            report.reasons += [] if note in report.reasons else [note]
        if tell is not None:
            tell(progress.position)
    with suppress(OSError):
        forget_progress(file)
    return report


def _batches(rows: Iterator[Row], report: Report) -> Iterator[list[Row]]:
    """Give the rows by batches, also those before a fault; the fault then says what was stored by then."""
    batch: list[Row] = []
    try:
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except InvalidError as error:
        if batch:
            yield batch
        if not report.samples and not report.refused:
            raise
        stored = f"{report.samples} samples before it are stored"
        refused = f", {report.refused} were refused: {'; '.join(report.reasons)}" if report.refused else ""
        raise InvalidError(f"{error.message}; {stored}{refused}", hint=error.hint, place=error.place) from None
    if batch:
        yield batch


def _refuse_packed(file: Path) -> None:
    with file.open("rb") as start:
        head = start.read(4)
    for mark, (form, fix) in _MARKS.items():
        if head.startswith(mark):
            raise InvalidError(f"it is {form}", hint=fix, place=Place(str(file)))


def _read(file: Path, kind: Format, position: int) -> Iterator[Row]:
    if kind is Format.CSV:
        return read_csv(file, position)
    if kind is Format.PARQUET:
        return read_parquet(file, position)
    return read_text(file, position, in_seconds=kind is Format.OPENMETRICS)
