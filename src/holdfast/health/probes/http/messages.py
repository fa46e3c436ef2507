"""What is asked and what came back. Bodies are decoded only when somebody looks at them."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.health.probes.attempts import quote
from holdfast.health.probes.faults import FaultError
from holdfast.kernel.units import format_size

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from holdfast.health.probes.http.urls import Url

_CHARSET: Final = re.compile(rb"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_WINDOW_BITS: Final = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with every secret filled in."""

    method: str
    url: Url
    authority: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


class Response:
    """One answer: final status, headers with lower-case names, and the body as it was sent."""

    __slots__ = ("_content", "_json", "headers", "limit", "peer", "raw", "size", "status", "trailers", "version")

    def __init__(self, status: int, version: str, headers: list[tuple[bytes, bytes]], limit: int) -> None:
        self.status = status
        self.version = version
        self.headers = headers
        self.limit = limit
        self.raw = b""
        self.size = 0
        self.peer: ssl.SSLObject | None = None
        self.trailers: Mapping[bytes, bytes] = {}
        self._content: bytes | None = None
        self._json: Any = _UNREAD

    def header(self, name: bytes) -> bytes | None:
        """Give the value of a header by its lower-case name; several are joined by a comma."""
        found = [value for key, value in self.headers if key == name]
        if not found:
            return None
        return found[0] if len(found) == 1 else b", ".join(found)

    @property
    def content(self) -> bytes:
        """The body without its content encoding.

        Raises:
            FaultError: the encoding is unknown, broken, or hides more than the limit.
        """
        if self._content is None:
            encoding = (self.header(b"content-encoding") or b"identity").strip().lower()
            self._content = self.raw if encoding == b"identity" else _inflate(self.raw, encoding, self.limit)
        return self._content

    @property
    def text(self) -> str:
        """The body as text, in the charset that the answer names or UTF-8."""
        named = _CHARSET.search(self.header(b"content-type") or b"")
        try:
            return self.content.decode(named[1].decode() if named else "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            FaultError: it is not JSON.
        """
        if self._json is _UNREAD:
            try:
                self._json = orjson.loads(self.content)
            except orjson.JSONDecodeError:
                raise FaultError(f"expected JSON, found {self.excerpt()} with status {self.status}") from None
        return self._json

    def excerpt(self, limit: int = 80) -> str:
        """Give the beginning of the body as evidence."""
        if not self.content:
            return "an empty body"
        return quote(self.content[: 4 * limit].decode("utf-8", "replace"), limit)

    @property
    def status_text(self) -> str:
        """Give the status with its usual phrase: `503 Service Unavailable`."""
        return describe_status(self.status)


_UNREAD: Final = object()


def describe_status(status: int) -> str:
    """Give `status` with its usual phrase."""
    reason = _REASONS.get(status)
    return f"{status} {reason}" if reason else str(status)


def _inflate(data: bytes, encoding: bytes, limit: int) -> bytes:
    bits = _WINDOW_BITS.get(encoding)
    if bits is None:
        named = quote(encoding.decode("latin-1"), 20)
        raise FaultError(f"the body is encoded as {named}; probes read gzip and deflate")
    if encoding == b"deflate" and data and data[0] & 0x0F != 8:
        bits = -15  # RFC 9110, 8.4.1.2: some servers send deflate without its zlib wrapper
    try:
        inflater = zlib.decompressobj(bits)
        content = inflater.decompress(data, limit + 1)
    except zlib.error:
        raise FaultError(f"the body says it is {encoding.decode()}, but does not decompress") from None
    if len(content) > limit:
        raise FaultError(f"the decompressed body is larger than {format_size(limit)}")
    if data and not inflater.eof:
        raise FaultError(f"the {encoding.decode()} body broke off")
    return content
