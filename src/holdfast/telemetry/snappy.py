"""Snappy's block format, in which remote write, remote read and Loki's push come; never past a limit.

Source: google/snappy, format_description.txt.
"""

from __future__ import annotations

from typing import Final

import cramjam

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import TooLargeError

_LENGTH_BYTES: Final = 5


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
    if size > limit:
        raise TooLargeError(
            f"the body holds {size} bytes after decompression, more than {setting} = {limit}",
            hint="let the sender put less into one request",
        )
    return size


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
