"""Does the same to many files, or to many chunks of a CSV file, in parallel; an error stays with its piece.

Results come in the order of the input, and only a bounded number of pieces is under way or waits to be taken.
"""

from __future__ import annotations

import asyncio
import csv
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from holdfast.resilience.concurrency.workers import WorkerPool

I = TypeVar("I")  # noqa: E741 -- an item
T = TypeVar("T")

CHUNK_ROWS: Final = 1_000

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[I, T]):
    """What became of one piece: its value, or its error."""

    item: I
    value: T | None = None
    error: BaseException | None = None

    @property
    def is_ok(self) -> bool:
        """Whether there was no error."""
        return self.error is None

    def get(self) -> T:
        """Give the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # there is a value where there is no error


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a CSV file, by the names of its header; `number` counts chunks from 0."""

    file: Path
    number: int
    rows: list[Row]


def map_each(fn: Callable[[I], T], items: Iterable[I], pool: WorkerPool) -> Iterator[Outcome[I, T]]:
    """Give what `fn` makes of each item, in the items' order."""
    under_way: deque[tuple[I, Future[T]]] = deque()
    try:
        for item in items:
            under_way.append((item, pool.submit(fn, item)))
            if len(under_way) > 2 * pool.workers:
                yield _finish(*under_way.popleft())
        while under_way:
            yield _finish(*under_way.popleft())
    finally:
        for _, future in under_way:
            future.cancel()


async def map_each_async(fn: Callable[[I], T], items: Iterable[I], pool: WorkerPool) -> AsyncIterator[Outcome[I, T]]:
    """Do as `map_each`; items are taken in a thread, so that reading them does not block the event loop."""
    under_way: deque[tuple[I, asyncio.Future[T]]] = deque()
    source = iter(items)
    try:
        while batch := await asyncio.to_thread(lambda: list(islice(source, 1))):
            under_way.append((batch[0], await pool.start(fn, batch[0])))
            if len(under_way) > 2 * pool.workers:
                yield await _finish_async(*under_way.popleft())
        while under_way:
            yield await _finish_async(*under_way.popleft())
    finally:
        for _, future in under_way:
            future.cancel()


def map_files(fn: Callable[[Path], T], files: Iterable[str | Path], pool: WorkerPool) -> Iterator[Outcome[Path, T]]:
    """Give what `fn` makes of each file; one that cannot be read fails alone."""
    return map_each(fn, map(Path, files), pool)


def map_files_async(
    fn: Callable[[Path], T], files: Iterable[str | Path], pool: WorkerPool
) -> AsyncIterator[Outcome[Path, T]]:
    """Do as `map_files`."""
    return map_each_async(fn, map(Path, files), pool)


def map_csv(
    fn: Callable[[Chunk], T], file: str | Path, pool: WorkerPool, *, chunk_rows: int = CHUNK_ROWS
) -> Iterator[Outcome[Chunk, T]]:
    """Give what `fn` makes of each chunk of a CSV file with a header line.

    Raises:
        ValueError: A row has more fields than the header names, or the file is no CSV; names file and line.
        OSError: The file cannot be read.
    """
    return map_each(fn, read_chunks(file, chunk_rows), pool)


def map_csv_async(
    fn: Callable[[Chunk], T], file: str | Path, pool: WorkerPool, *, chunk_rows: int = CHUNK_ROWS
) -> AsyncIterator[Outcome[Chunk, T]]:
    """Do as `map_csv`."""
    return map_each_async(fn, read_chunks(file, chunk_rows), pool)


def read_chunks(file: str | Path, chunk_rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Read a CSV file with a header line, `chunk_rows` rows at a time, never all of it."""
    if chunk_rows < 1:
        raise ValueError(f"chunk_rows={chunk_rows} must be positive")
    path = Path(file)
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text, strict=True)
        number = 0
        while rows := _read_rows(path, reader, chunk_rows):
            yield Chunk(path, number, rows)
            number += 1


def _read_rows(path: Path, reader: csv.DictReader[str], count: int) -> list[Row]:
    rows: list[Row] = []
    try:
        for row in islice(reader, count):
            if None in row or None in row.values():
                raise ValueError(f"{path}:{reader.line_num}: not as many fields as the header has")
            rows.append(row)
    except csv.Error as error:
        raise ValueError(f"{path}:{reader.line_num}: {error}") from error
    return rows


def _finish(item: I, future: Future[T]) -> Outcome[I, T]:
    try:
        error = future.exception()
    except CancelledError as ended:
        return Outcome(item, error=ended)
    return Outcome(item, error=error) if error is not None else Outcome(item, future.result())


async def _finish_async(item: I, future: asyncio.Future[T]) -> Outcome[I, T]:
    await asyncio.wait({future})
    if future.cancelled():
        return Outcome(item, error=CancelledError())
    error = future.exception()
    return Outcome(item, error=error) if error is not None else Outcome(item, future.result())
