"""Reads files in processes and adds up what they count; memory does not grow with the files."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Final

from holdfast.telemetry.logs.files.access import AccessReader
from holdfast.telemetry.logs.files.blocks import Piece, cut, read_blocks, read_head
from holdfast.telemetry.logs.files.fields import FieldReader, parse_json, parse_logfmt
from holdfast.telemetry.logs.files.formats import Format, recognise, refuse_binary, unwrap_cri
from holdfast.telemetry.logs.files.reading import Reader
from holdfast.telemetry.logs.files.tally import PatternBook, Tally
from holdfast.telemetry.logs.files.texts import SYSLOG, TextReader

Progress = Callable[[int], None]
WORTH_PROCESSES: Final = 64 << 20  # bytes; a process takes half a second to start
_PIECE: Final = 64 << 20
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
        paths: text, or text packed with gzip or zstd.
        processes: at once; by default one per processor, one in all for little.
        progress: is told bytes that were read, as they lie on the disk.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: a file is no text, or is broken; names it.
    """
    pieces = cut(paths, _PIECE)
    formats = {str(path): _recognise(path)[0] for path in paths}
    total = sum(piece.end - piece.start for piece in pieces)
    count = processes or (os.cpu_count() or 1 if total >= WORTH_PROCESSES else 1)
    tell = progress or (lambda _: None)
    tally, book = Tally(), PatternBook()
    for part in _here(pieces, tell) if count == 1 else _spread(pieces, count, tell):
        tally.merge(part)
        book.merge(part.patterns, part.others)
    tally.patterns = sorted(book.rows.values(), key=lambda row: -row.records)
    tally.others = book.others
    return Analysed(tally, {file: str(form) for file, form in formats.items()})


def _here(pieces: Sequence[Piece], tell: Progress) -> list[Tally]:
    return [read_piece(piece, tell) for piece in pieces]


_told: list[SimpleQueue[int]] = []  # in a child: where it tells how far it is


def _begin(queue: SimpleQueue[int]) -> None:
    _told.append(queue)


def _read_there(piece: Piece) -> Tally:
    return read_piece(piece, _told[0].put)


def _spread(pieces: Sequence[Piece], count: int, tell: Progress) -> list[Tally]:
    # A copy of a process without threads is safe, and costs none of the second that importing everything anew takes.
    can_fork = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if can_fork else "spawn")
    queue: SimpleQueue[int] = context.SimpleQueue()
    found: list[Tally] = []
    with ProcessPoolExecutor(min(count, len(pieces)), context, _begin, (queue,)) as pool:
        waiting: set[Future[Tally]] = {pool.submit(_read_there, piece) for piece in pieces}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=_TELL_S, return_when=FIRST_COMPLETED)
                found += [future.result() for future in done]
                while not queue.empty():
                    tell(queue.get())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    while not queue.empty():
        tell(queue.get())
    return found


def read_piece(piece: Piece, tell: Progress) -> Tally:
    """Count the records of a piece."""
    reader: Reader | None = None
    for block in read_blocks(piece):
        if reader is None:
            reader = reader_of(Path(piece.file))
        data = block.data.replace(b"\r\n", b"\n") if b"\r\n" in block.data else block.data
        tally = reader.tally
        tally.lines += data.count(b"\n")
        tally.size += len(block.data)
        tally.cut += block.is_cut
        reader.read(data, block.part)
        tell(block.read)
    if reader is None:
        return Tally()
    reader.tally.patterns = list(reader.book.rows.values())
    reader.tally.others = reader.book.others
    return reader.tally


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
        return FieldReader(parse_json, unwrap)
    if form is Format.LOGFMT:
        return FieldReader(parse_logfmt, unwrap)
    sample = [line for line in lines if line]
    if form is Format.ACCESS:
        return AccessReader(sample)
    return TextReader(sample, unwrap=unwrap, level_of=SYSLOG.get(form))
