"""Messages out of a stream of bytes: by counted octets, or by line ends; the first bytes of a connection decide.

Source: RFC 6587, 3.4; RFC 5425, 4.3. Python's SysLogHandler ends a message with NUL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from holdfast.kernel.errors import InvalidError

_COUNTED: Final = re.compile(rb"[1-9]\d{0,9} <")
_COUNT: Final = re.compile(rb"[1-9]\d{0,9} ")
_ENDS: Final = re.compile(rb"[\n\0]")
_LONGEST_COUNT: Final = 11
_DECIDED_BY: Final = 12


class Framing:
    """Cuts what one connection sends."""

    def __init__(self, max_message: int) -> None:
        self._most = max_message
        self._buffer = bytearray()
        self._is_counted: bool | None = None
        self._is_skipping = False
        self.too_long = 0  # messages that were left out
        self.cut_off = 0  # of counted octets, by the end of the connection

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes; gives the messages that are whole.

        Raises:
            InvalidError: a count is none, or of more than a message may have: nobody knows where the next one begins.
        """
        self._buffer += data
        if self._is_counted is None:
            if not self._is_decided():
                return
            self._is_counted = _COUNTED.match(self._buffer) is not None
        yield from self._counted() if self._is_counted else self._lines()

    def _is_decided(self) -> bool:
        buffer = self._buffer
        is_open = not buffer or (buffer[:1].isdigit() and len(buffer) < _DECIDED_BY and not _ENDS.search(buffer))
        return not is_open or _COUNTED.match(buffer) is not None

    def rest(self) -> list[bytes]:
        """Give what the connection left unended; of counted octets nothing, for it is cut off."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        self.cut_off += bool(self._is_counted and rest.strip())
        return [] if self._is_counted or self._is_skipping or not rest.strip() else [rest]

    def _counted(self) -> Iterator[bytes]:
        buffer = self._buffer
        while buffer:
            if buffer[:1] == b"\n":  # some senders end a counted message all the same
                del buffer[:1]
                continue
            count = _COUNT.match(buffer)
            if count is None:
                if len(buffer) < _LONGEST_COUNT and buffer.isdigit():
                    break
                raise InvalidError("a message does not begin with its length", hint="send `<octets> <message>`")
            length = int(count[0])
            if length > self._most:
                raise InvalidError(f"a message of {length} bytes is longer than syslog.max_message = {self._most}")
            if len(buffer) < count.end() + length:
                break
            message = bytes(buffer[count.end() : count.end() + length])
            del buffer[: count.end() + length]
            yield message

    def _lines(self) -> list[bytes]:
        *whole, rest = _ENDS.split(self._buffer)
        found = []
        for line in whole:
            if self._is_skipping:
                self._is_skipping = False
            elif len(line) > self._most:
                self.too_long += 1
            elif line.strip():
                found.append(bytes(line))
        if len(rest) > self._most and not self._is_skipping:
            self.too_long += 1
            self._is_skipping = True
        self._buffer = bytearray() if self._is_skipping else bytearray(rest)
        return found
