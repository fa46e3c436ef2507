"""Reads protobuf's wire format by hand: varints and fields, each checked against the end of what holds it.

No descriptors and no message objects, which cost more than the numbers in them.
Source: the encoding chapter of protobuf's documentation.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_DOUBLE: Final = Struct("<d")
_U64: Final = 0xFFFF_FFFF_FFFF_FFFF
_MAX_FIELD: Final = (1 << 29) - 1

Field = tuple[int, int, int, int]
"""Number, wire type, and: the value of a varint and 0, or where the content starts and ends."""


class MalformedError(InvalidError):
    """The bytes are not the message that they are said to be."""

    code = "malformed"


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Give the unsigned 64-bit value at `at` and where the next thing starts."""
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _U64, at
        shift += 7
        if shift > 63:
            raise MalformedError(f"a varint before byte {at} is longer than ten bytes")
    raise MalformedError(f"a varint is cut off at byte {at}")


def read_field(data: bytes, at: int, end: int) -> tuple[Field, int]:
    """Give the field at `at` and where the next one starts.

    Raises:
        MalformedError: it is cut off, or not protobuf.
    """
    tag, at = read_varint(data, at, end)
    number, kind = tag >> 3, tag & 7
    if not 0 < number <= _MAX_FIELD:
        raise MalformedError(f"there is no field number {number} (byte {at})")
    if kind == VARINT:
        value, at = read_varint(data, at, end)
        return (number, kind, value, 0), at
    if kind == BYTES:
        length, at = read_varint(data, at, end)
    elif kind == FIXED64:
        length = 8
    elif kind == FIXED32:
        length = 4
    else:
        raise MalformedError(f"there is no wire type {kind} (byte {at})")
    if at + length > end:
        raise MalformedError(f"field {number} is cut off at byte {end}")
    return (number, kind, at, at + length), at + length


def read_fields(data: bytes, at: int, end: int) -> Iterator[Field]:
    """Give the fields of the message in `data[at:end]`; raises as `read_field`."""
    while at < end:
        field, at = read_field(data, at, end)
        yield field


def expect(field: Field, kind: int) -> None:
    """Refuse a field of another wire type than the message has it."""
    if field[1] != kind:
        raise MalformedError(f"field {field[0]} has wire type {field[1]}, not {kind}")


def signed(value: int) -> int:
    """Give an int64 that was read as an unsigned varint."""
    return value - (1 << 64) if value >> 63 else value


def unzigzag(value: int) -> int:
    """Give a sint that was read as an unsigned varint."""
    return (value >> 1) ^ -(value & 1)


def read_double(data: bytes, at: int) -> float:
    """Give the double at `at`; its bits stay as they are, so that a stale marker stays one."""
    value: float = _DOUBLE.unpack_from(data, at)[0]
    return value


def read_packed_doubles(data: bytes, field: Field) -> list[float]:
    """Give the values of a repeated double, packed or a single one."""
    _, kind, start, end = field
    if kind == FIXED64:
        return [read_double(data, start)]
    expect(field, BYTES)
    if (end - start) % 8:
        raise MalformedError(f"packed doubles at byte {start} are cut off")
    return [value for (value,) in _DOUBLE.iter_unpack(data[start:end])]


def read_packed_varints(data: bytes, field: Field) -> list[int]:
    """Give the unsigned values of a repeated varint, packed or a single one."""
    _, kind, at, end = field
    if kind == VARINT:
        return [at]
    expect(field, BYTES)
    values = []
    while at < end:
        value, at = read_varint(data, at, end)
        values.append(value)
    return values


def read_text(data: bytes, field: Field) -> str:
    """Give a string field.

    Raises:
        MalformedError: it is not UTF-8.
    """
    expect(field, BYTES)
    try:
        return data[field[2] : field[3]].decode()
    except UnicodeDecodeError:
        raise MalformedError(f"the text at byte {field[2]} is not UTF-8") from None
