"""Bodies and attributes of OTLP's records from their bytes; the usual ones without a message of protobuf.

Source: opentelemetry-proto, common/v1/common.proto; protobuf's documentation of its encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.otlp import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_TEXT: Final = 0x0A  # field 1, bytes follow: a key, or a value that is a text
_VALUE: Final = 0x12  # field 2, bytes follow
_NUMBER: Final = 0x18  # field 3, a varint follows
_MORE: Final = 0x80  # in a varint: another byte follows
_LONGEST: Final = 9  # bytes of a varint that is not negative
_PAD: Final = 8  # so that what is looked for behind a cut attribute is there


class Parts:
    """Reads parts of requests; made per request, for the classes of the messages load slowly.

    Every method raises an `InvalidError` where bytes are not what they must be.
    """

    def __init__(self) -> None:
        from google.protobuf.message import DecodeError  # noqa: PLC0415 -- loads slowly
        from opentelemetry.proto.common.v1 import common_pb2  # noqa: PLC0415 -- as above
        from opentelemetry.proto.resource.v1 import resource_pb2  # noqa: PLC0415 -- as above

        self._decode_error: type[Exception] = DecodeError
        self._value: Any = common_pb2.AnyValue
        self._pair: Any = common_pb2.KeyValue
        self._scope: Any = common_pb2.InstrumentationScope
        self._resource: Any = resource_pb2.Resource

    def bodies(self, contents: Sequence[bytes]) -> list[str]:
        """Give the texts of bodies."""
        try:
            return [
                content[2:].decode()
                if 2 < len(content) < 130 and content[0] == _TEXT and content[1] == len(content) - 2
                else content[3:].decode()
                if _is_long_text(content)
                else self._text(content)
                if content
                else ""
                for content in contents
            ]
        except UnicodeDecodeError as error:
            raise InvalidError(f"the body holds no AnyValue: {error}") from None

    def pair(self, content: bytes) -> Any:
        """Give the message of an attribute."""
        return self._read(self._pair, content)

    def scope(self, content: bytes) -> Any:
        """Give the message of an instrumentation."""
        return self._read(self._scope, content)

    def resource(self, content: bytes) -> Any:
        """Give the message of a resource."""
        return self._read(self._resource, content)

    def _text(self, content: bytes) -> str:
        return to_text(self._read(self._value, content))

    def _read(self, message: Any, content: bytes) -> Any:
        try:
            return message.FromString(content)
        except self._decode_error as error:
            raise InvalidError(f"the body holds no {message.DESCRIPTOR.name}: {error}") from None


def _is_long_text(content: bytes) -> bool:
    """Tell whether a value is a text of 128 to 16,383 bytes and nothing else."""
    size = len(content) - 3
    return 127 < size < 16_384 and content[0] == _TEXT and content[1:3] == bytes((size & 127 | _MORE, size >> 7))


def name_end(content: bytes, name: str) -> int:
    """Give where the name of an attribute ends, if its bytes begin with this one, of at most 127 bytes; else 0."""
    end = content[1] + 2 if len(content) > 1 and content[0] == _TEXT and content[1] < _MORE else 0
    return end if content[2:end] == name.encode() else 0


def usual_values(contents: Sequence[bytes]) -> tuple[list[int], list[str | None]]:
    """Give where the name of each attribute ends, and its text where it is usual: a short text, a whole number from 0.

    On the wire that is `0a <size> <name> 12 <size>`, then `0a <size> <text>` or `18 <varint>`, and nothing else. None
    for any other, which may be one all the same. All are looked at together: that takes half the time of messages.
    """
    buffer = np.frombuffer(b"".join((*contents, bytes(_PAD))), np.uint8)
    ends = np.cumsum(np.fromiter(map(len, contents), np.int64, len(contents)))
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    names = buffer[starts + 1].astype(np.int64)  # those of an empty one are of the next, and fail below
    middles = np.minimum(starts + 2 + names, ends)
    rests = ends - middles - 2
    is_usual = (buffer[starts] == _TEXT) & (names < _MORE) & (rests >= 2) & (rests < _MORE)
    is_usual &= (buffer[middles] == _VALUE) & (buffer[middles + 1] == rests)
    kinds = buffer[middles + 2]
    is_text = is_usual & (kinds == _TEXT) & (buffer[middles + 3] == rests - 2)
    begins = (middles - starts).tolist()
    try:
        texts: list[str | None] = [
            content[begin + 4 :].decode() if is_one else None
            for content, begin, is_one in zip(contents, begins, is_text.tolist(), strict=True)
        ]
    except UnicodeDecodeError as error:
        raise InvalidError(f"the body holds no KeyValue: {error}") from None
    numbers = np.flatnonzero(is_usual & (kinds == _NUMBER) & (rests - 1 <= _LONGEST))
    for place, number in zip(*_numbers(buffer, numbers, middles[numbers] + 3, ends[numbers]), strict=True):
        texts[place] = str(number)
    return begins, texts


def _numbers(
    buffer: npt.NDArray[np.uint8],
    places: npt.NDArray[np.int64],
    begins: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> tuple[list[int], list[int]]:
    """Read varints that take all the bytes between their bounds; gives the places of those that do, and the numbers."""
    values, are_whole = np.zeros(len(places), np.int64), np.ones(len(places), np.bool_)
    for place in range(int((ends - begins).max(initial=0))):
        at = begins + place
        letters = np.where(at < ends, buffer[np.minimum(at, ends - 1)], 0).astype(np.int64)
        values |= (letters & (_MORE - 1)) << 7 * place
        are_whole &= (at >= ends) | ((letters >= _MORE) == (at < ends - 1))
    return places[are_whole].tolist(), values[are_whole].tolist()
