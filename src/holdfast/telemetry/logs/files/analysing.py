"""Reads files in processes and adds up what they count; memory does not grow with the files."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from multiprocessing.queues import SimpleQueue
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.files.access import AccessReader
from holdfast.telemetry.logs.files.blocks import Piece, cut, read_blocks, read_head, size_of
from holdfast.telemetry.logs.files.formats import Format, recognise, refuse_binary, unwrap_cri
from holdfast.telemetry.logs.files.logfmt_lines import LogfmtReader
from holdfast.telemetry.logs.files.objects import ObjectReader
from holdfast.telemetry.logs.files.reading import Reader
from holdfast.telemetry.logs.files.tally import PatternBook, Tally
from holdfast.telemetry.logs.files.texts import TextReader

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

Progress = Callable[[int], None]
WORTH_PROCESSES: Final = 64 << 20  # bytes; a process takes half a second to start
_PIECE: Final = 64 << 20
_LEAST_PIECE: Final = 8 << 20
_SAMPLE: Final = 500  # lines
_TELL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Analysed:
    """What was counted, and the format of each file."""

    tally: Tally
    formats: dict[str, str]


def analyse(paths: Sequence[Path], *, processes: int | None = None, progress: Progress | None = None) -> Analysed:
    """Count all records of files.

    Args:
        paths: text, or text packed with gzip, zstd or bzip2.
        processes: at once; by default one per processor, one in all for little.
        progress: is told bytes that were read, as they lie on the disk.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: a file is no text, or is broken; names it.
    """
    total = sum(size_of(path) for path in paths)
    count = processes or (os.cpu_count() or 1 if total >= WORTH_PROCESSES else 1)
    pieces = cut(paths, min(_PIECE, max(total // (4 * count), _LEAST_PIECE)))
    formats = {str(path): _recognise(path)[0] for path in paths}
    tell = progress or (lambda _: None)
    tally, book = Tally(), PatternBook()
    for part in read_pieces(pieces, tell) if count == 1 else _spread(pieces, count, tell):
        tally.merge(part)
        book.merge(part.patterns, part.others)
    tally.patterns = sorted(book.rows.values(), key=lambda row: -row.records)
    tally.others = book.others
    return Analysed(tally, {file: str(form) for file, form in formats.items()})


class _Work:
    """What a child has to do, as it was when the child began."""

    def __init__(self, pieces: Sequence[Piece], taken: Synchronized[int], told: SimpleQueue[int]) -> None:
        self._pieces = pieces
        self._taken = taken
        self.told = told

    def __iter__(self) -> Iterator[Piece]:
        while True:
            with self._taken.get_lock():
                place = self._taken.value
                self._taken.value += 1
            if place >= len(self._pieces):
                return
            yield self._pieces[place]


_works: list[_Work] = []  # in a child


def _begin(pieces: Sequence[Piece], taken: Synchronized[int], told: SimpleQueue[int]) -> None:
    _works.append(_Work(pieces, taken, told))


def _read_there() -> list[Tally]:
    work = _works[-1]
    return read_pieces(work, work.told.put)


def _spread(pieces: Sequence[Piece], count: int, tell: Progress) -> Iterator[Tally]:
    # A copy of a process without threads is safe, and costs none of the second that importing everything anew takes.
    can_fork = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if can_fork else "spawn")
    told: SimpleQueue[int] = context.SimpleQueue()
    count = min(count, max(len(pieces), 1))
    with ProcessPoolExecutor(count, context, _begin, (pieces, context.Value("q", 0), told)) as pool:
        waiting: set[Future[list[Tally]]] = {pool.submit(_read_there) for _ in range(count)}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=_TELL_S, return_when=FIRST_COMPLETED)
                while not told.empty():
                    tell(told.get())
                for future in done:
                    yield from future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def read_pieces(pieces: Iterable[Piece], tell: Progress) -> list[Tally]:
    """Count the records of pieces; those of one file that follow each other are one tally."""
    found: list[Tally] = []
    for _, group in groupby(pieces, attrgetter("file")):
        reader: Reader | None = None
        for piece in group:
            reader = _read_piece(piece, reader, tell)
        if reader is not None:
            reader.finish()
            reader.tally.patterns = list(reader.book.rows.values())
            reader.tally.others = reader.book.others
            found.append(reader.tally)
    return found


def _read_piece(piece: Piece, reader: Reader | None, tell: Progress) -> Reader | None:
    for block in read_blocks(piece):
        reader = reader or reader_of(Path(piece.file))
        data = block.data.replace(b"\r\n", b"\n") if b"\r" in block.data else block.data
        tally = reader.tally
        tally.lines += data.count(b"\n")
        tally.size += len(block.data)
        tally.cut += block.is_cut
        reader.read(data, block.part)
        tell(block.read)
    return reader


def _recognise(path: Path) -> tuple[Format, list[bytes]]:
    head = read_head(path)
    refuse_binary(head, str(path))
    lines = head.replace(b"\r\n", b"\n").split(b"\n")
    lines = (lines[:-1] if len(lines) > 1 else lines)[:_SAMPLE]
    return recognise(lines), lines


def reader_of(path: Path) -> Reader:
    """Give the reader of a file's format."""
    form, lines = _recognise(path)
    if form is not Format.CRI:
        return _reader(form, lines, None)
    form = recognise(unwrap_cri(b"\n".join(lines), is_timed=False).split(b"\n"))
    is_timed = form not in {Format.JSON, Format.LOGFMT}
    unwrap = partial(unwrap_cri, is_timed=is_timed)
    return _reader(Format.PLAIN if is_timed else form, unwrap(b"\n".join(lines)).split(b"\n"), unwrap)


def _reader(form: Format, lines: Sequence[bytes], unwrap: Callable[[bytes], bytes] | None) -> Reader:
    if form is Format.JSON:
        return ObjectReader(lines, unwrap)
    if form is Format.LOGFMT:
        return LogfmtReader(unwrap)
    sample = [line for line in lines if line]
    if form is Format.ACCESS:
        return AccessReader(sample)
    return TextReader(sample, unwrap=unwrap, is_syslog=form in {Format.SYSLOG_3164, Format.SYSLOG_5424})
