"""Snappy's block format, in which remote write, remote read and Loki's push come; never past a limit.

Pushes of batch jobs may come in its framing format, which is what programs for files write, too.
Source: google/snappy, format_description.txt and framing_format.txt.
"""

from __future__ import annotations

from typing import Final

import cramjam

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import TooLargeError

_LENGTH_BYTES: Final = 5
_STREAM: Final = b"\xff\x06\x00\x00sNaPpY"
_COMPRESSED, _PLAIN = 0x00, 0x01  # types of chunks
_HEAD_BYTES: Final = 4
_CHECKSUM_BYTES: Final = 4


def decompress(data: bytes, *, limit: int, setting: str) -> bytes:
    """Give what one block holds.

    Args:
        data: the block.
        limit: the most bytes that may come out; `setting` names it in the message.
        setting: such as `remote_write.max_body`.

    Raises:
        TooLargeError: the block says that it holds more; nothing was decompressed.
        InvalidError: it is no such block.
    """
    size = announced_size(data, limit=limit, setting=setting)
    try:
        plain = bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError as error:
        raise InvalidError(f"the body is not a snappy block: {error}") from None
    if len(plain) != size:
        raise InvalidError("the body is not a snappy block: it holds less than it says")
    return plain


def announced_size(data: bytes, *, limit: int, setting: str) -> int:
    """Give how many bytes a block says that it holds; no more come out of it.

    Raises:
        TooLargeError, InvalidError: as `decompress` does.
    """
    size = _read_size(data)
    _refuse_more(size, limit=limit, setting=setting)
    return size


def unpack(data: bytes, *, limit: int, setting: str) -> bytes:
    """Give what one block or framed stream holds; takes and raises what `decompress` does."""
    if not data.startswith(_STREAM):
        return decompress(data, limit=limit, setting=setting)
    unpacked_size(data, limit=limit, setting=setting)
    try:
        return bytes(cramjam.snappy.decompress(data))
    except cramjam.DecompressionError as error:
        raise InvalidError(f"the body is not a snappy stream: {error}") from None


def unpacked_size(data: bytes, *, limit: int, setting: str) -> int:
    """Give how many bytes a block or framed stream says that it holds; raises as `decompress`."""
    if not data.startswith(_STREAM):
        return announced_size(data, limit=limit, setting=setting)
    size = at = 0
    while at < len(data):
        start = at + _HEAD_BYTES
        kind, at = data[at], start + int.from_bytes(data[at + 1 : start], "little")
        if at > len(data) or start > len(data):
            raise InvalidError("the body is not a snappy stream: it is cut off")
        if kind == _COMPRESSED:
            size += _read_size(data[start + _CHECKSUM_BYTES : start + _CHECKSUM_BYTES + _LENGTH_BYTES])
        elif kind == _PLAIN:
            size += at - start - _CHECKSUM_BYTES
    _refuse_more(size, limit=limit, setting=setting)
    return size


def _refuse_more(size: int, *, limit: int, setting: str) -> None:
    if size > limit:
        raise TooLargeError(
            f"the body holds {size} bytes after decompression, more than {setting} = {limit}",
            hint="let the sender put less into one request",
        )


def compress(data: bytes) -> bytes:
    """Give one block that holds `data`."""
    return bytes(cramjam.snappy.compress_raw(data))


def _read_size(data: bytes) -> int:
    """Give the size that the block says it holds: a varint of at most 32 bits at its start."""
    size = 0
    for place, byte in enumerate(data[:_LENGTH_BYTES]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return size
    raise InvalidError("the body is not a snappy block: it does not start with its size")
