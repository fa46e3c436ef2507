"""Decompresses bodies without trusting them: gzip, deflate and zstd, never past a limit.

A bomb of a few kilobytes cannot take memory: each step of decompression is bounded. Compressing is `web`'s work.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http.errors import MediaTypeError, TooLargeError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

ACCEPTED: Final = "gzip, deflate, zstd"


class BoundedDecoder:
    """Decodes one body piece by piece; raises before more than `limit` bytes came out."""

    def __init__(self, encoding: str, limit: int) -> None:
        try:
            self._start = _STARTS[encoding.strip().lower()]
        except KeyError:
            raise MediaTypeError(
                f"the content encoding {encoding!r} is not understood", hint=f"use one of {ACCEPTED}"
            ) from None
        self._limit = limit
        self._stream = self._start()
        self._total = 0

    def feed(self, data: bytes) -> bytes:
        """Give what `data` decodes to.

        Raises:
            TooLargeError: the limit is passed.
            InvalidError: the data is not in this encoding.
        """
        if self._stream is None:
            return self._count(data)
        decoded = bytearray()
        try:
            while data:
                piece, data = self._stream.step(data, self._limit - self._total + 1)
                decoded += self._count(piece)
                if data and self._stream.ended:
                    self._stream = self._start()  # several gzip members or zstd frames in a row are one body
                    assert self._stream is not None
        except (zlib.error, zstd.ZstdError) as error:
            raise InvalidError(f"the body does not decompress: {error}") from None
        return bytes(decoded)

    def finish(self) -> None:
        """Check that the body was whole.

        Raises:
            InvalidError: it was cut.
        """
        if self._stream is not None and self._stream.started and not self._stream.ended:
            raise InvalidError("the compressed body is cut short")

    def _count(self, piece: bytes) -> bytes:
        self._total += len(piece)
        if self._total > self._limit:
            raise TooLargeError(f"the body is larger than {self._limit} bytes after decompression")
        return piece


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._object = zlib.decompressobj(wbits)
        self._wbits = wbits
        self.started = False

    @property
    def ended(self) -> bool:
        return self._object.eof

    def step(self, data: bytes, room: int) -> tuple[bytes, bytes]:
        if not self.started and self._wbits == zlib.MAX_WBITS and not _has_zlib_header(data):
            self._object = zlib.decompressobj(-zlib.MAX_WBITS)  # what many servers call deflate (RFC 9110, 8.4.1.2)
        self.started = True
        piece = self._object.decompress(data, room)
        return piece, self._object.unconsumed_tail or self._object.unused_data


class _Zstd:
    def __init__(self) -> None:
        # 8 MiB of window is what RFC 9659 allows on the web.
        self._object = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 23})
        self.started = False

    @property
    def ended(self) -> bool:
        return self._object.eof

    def step(self, data: bytes, room: int) -> tuple[bytes, bytes]:
        self.started = True
        piece = self._object.decompress(data, room)
        return piece, self._object.unused_data


def _has_zlib_header(data: bytes) -> bool:
    return len(data) < 2 or ((data[0] & 0x0F) == 8 and int.from_bytes(data[:2], "big") % 31 == 0)


_STARTS: Final[dict[str, Callable[[], _Zlib | _Zstd | None]]] = {
    "": lambda: None,
    "identity": lambda: None,
    "gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
    "x-gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
    "deflate": lambda: _Zlib(zlib.MAX_WBITS),
    "zstd": _Zstd,
}
