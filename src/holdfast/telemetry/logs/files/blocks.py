"""Reads files block by block: whole records, bounded memory; large plain files are parted among processes.

A line longer than `LONGEST` is cut, and what is cut is passed over. gzip, zstd and bzip2 are recognised by their first
bytes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Final

from holdfast.kernel.errors import HoldfastError, InvalidError, NotFoundError, Place
from holdfast.telemetry.logs.files.traces import belongs, last_start

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LONGEST: Final = 1 << 20
LARGEST: Final = 8 << 20  # of a block
PARTS: Final = 3
_SMALLEST: Final = 4 << 10
_BLOCKS: Final = 24  # at least, of all files, so that what was early and what late is known
_GZIP: Final = b"\x1f\x8b"
_BZIP2: Final = b"BZh"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file: from byte `start` to `end`; `before` bytes of `total` come before it in all files."""

    file: str
    start: int
    end: int
    before: int
    total: int
    is_packed: bool

    @property
    def block_size(self) -> int:
        """How many bytes are read at once."""
        return min(max(self.total // _BLOCKS, _SMALLEST), LARGEST)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records, with the part of all input (0, 1, 2) in which they stand, and bytes of the file read for it."""

    data: bytes
    part: int
    read: int
    is_cut: bool = False


def cut(paths: Sequence[Path], piece_bytes: int) -> list[Piece]:
    """Give the pieces of files.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: it is a folder, or cannot be read.
    """
    sizes = [size_of(path) for path in paths]
    total, before, pieces = sum(sizes), 0, list[Piece]()
    for path, size in zip(paths, sizes, strict=True):
        is_packed = _packing(path) != b""
        borders = [0, size] if is_packed or size <= piece_bytes else _borders(path, size, piece_bytes)
        for start, end in pairwise(borders):
            pieces.append(Piece(str(path), start, end, before + start, total, is_packed))
        before += size
    return pieces


def size_of(path: Path) -> int:
    """Give the bytes of a file, as they lie on the disk."""
    if not path.exists():
        raise NotFoundError(f"there is no file {path}", hint="name log files, such as /var/log/nginx/access.log*")
    if not path.is_file():
        raise InvalidError("this is no file", place=Place(file=str(path)), hint="name files, not folders")
    try:
        with path.open("rb") as stream:
            return stream.seek(0, io.SEEK_END)
    except OSError as error:
        raise _unreadable(str(path), error) from error


def _packing(path: Path) -> bytes:
    with path.open("rb") as stream:
        head = stream.read(4)
    return next((mark for mark in (_GZIP, _BZIP2, _ZSTD) if head.startswith(mark)), b"")


def _borders(path: Path, size: int, piece_bytes: int) -> list[int]:
    borders = [0]
    with path.open("rb") as stream:
        for at in range(piece_bytes, size, piece_bytes):
            stream.seek(at)
            while (line := stream.readline(LONGEST)) and not line.endswith(b"\n"):
                pass
            window = stream.tell()
            lines = [stream.readline(LONGEST) for _ in range(200)]
            window += len(b"".join(lines[: _records(lines)]))
            if borders[-1] < window < size:
                borders.append(window)
    return [*borders, size]


def _records(lines: Sequence[bytes]) -> int:
    """Give how many lines stand before the first that begins a record."""
    return next((place for place, line in enumerate(lines) if not belongs(line)), len(lines))


def read_head(path: Path, size: int = 256 << 10) -> bytes:
    """Give the first bytes of a file, unpacked."""
    try:
        with path.open("rb", buffering=0) as raw, _unpacked(raw, _packing(path)) as stream:
            return stream.read(size)
    except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
        raise _unreadable(str(path), error) from error


def read_blocks(piece: Piece) -> Iterator[Block]:
    """Give the blocks of a piece.

    Raises:
        InvalidError: the file cannot be read or unpacked; the message says after how many bytes.
    """
    path, packing = Path(piece.file), _packing(Path(piece.file)) if piece.is_packed else b""
    told = piece.start
    try:
        with path.open("rb", buffering=0) as raw:
            raw.seek(piece.start)
            with _unpacked(raw, packing) as stream:
                for data, is_cut in _records_of(stream, piece):
                    at = raw.tell() if piece.is_packed else min(told + len(data), piece.end)
                    part = min(
                        PARTS * (piece.before - piece.start + (told + at) // 2) // max(piece.total, 1), PARTS - 1
                    )
                    yield Block(data, part, at - told, is_cut)
                    told = at
    except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
        raise _unreadable(piece.file, error, told) from error


def _records_of(stream: io.BufferedIOBase | IO[bytes], piece: Piece) -> Iterator[tuple[bytes, bool]]:
    left, rest, is_skipping = b"", piece.end - piece.start, False
    while chunk := stream.read(piece.block_size if piece.is_packed else min(piece.block_size, rest)):
        rest -= 0 if piece.is_packed else len(chunk)
        if is_skipping:
            at = chunk.find(b"\n")
            if at < 0:
                continue
            chunk, is_skipping = chunk[at + 1 :], False
        data = left + chunk
        end = data.rfind(b"\n") + 1
        if not end:
            left = data
            if len(data) > LONGEST:
                yield data[:LONGEST] + b"\n", True
                left, is_skipping = b"", True
            continue
        at = last_start(data[:end])
        at = at or end
        left = data[at:]
        yield data[:at], False
    if left:
        yield left if left.endswith(b"\n") else left + b"\n", False


def _unpacked(raw: io.FileIO, packing: bytes) -> io.BufferedIOBase | IO[bytes]:
    if packing == _GZIP:
        return gzip.GzipFile(fileobj=raw)
    if packing == _BZIP2:
        return bz2.BZ2File(raw)
    return zstd.ZstdFile(raw) if packing == _ZSTD else io.BufferedReader(raw)


def _unreadable(file: str, error: Exception, after: int = 0) -> HoldfastError:
    where = f" after {after} bytes" if after else ""
    return InvalidError(f"cannot be read{where}: {error}", place=Place(file=file))
