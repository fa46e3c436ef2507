"""`slice` and `substr` of templates, with the words in which Go refuses what cannot be sliced.

Source: Go's package `text/template`, its predefined functions, and Sprig's `substr`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

_MOST: Final = 3
_BOUNDS: Final = "runtime error: slice bounds out of range"
_TYPES: Final = {
    "str": "string",
    "float": "float64",
    "dict": "map[string]interface {}",
    "Moment": "time.Time",
}


def take_slice(item: Any, *indexes: Any) -> Any:
    """Give a part of a text, in bytes, or of a list: from the first index until before the second.

    Raises:
        TypeError, ValueError: it cannot be sliced so.
    """
    if _type(item) == "nil":
        raise ValueError("slice of untyped nil")
    if len(indexes) > _MOST:
        raise ValueError(f"too many slice indexes: {len(indexes)}")
    if isinstance(item, str):
        if len(indexes) == _MOST:
            raise ValueError("cannot 3-index slice a string")
        return _cut(item.encode(), indexes).decode(errors="replace")
    if isinstance(item, list | tuple):
        return _cut(item, indexes)
    raise ValueError(f"can't slice item of type {_type(item)}")


def _cut(items: Any, indexes: tuple[Any, ...]) -> Any:
    bounds = [0, len(items)]
    for place, index in enumerate(indexes):
        if isinstance(index, bool) or not isinstance(index, int):
            kind = _type(index)
            raise TypeError(f"cannot index slice/array with {'nil' if kind == 'nil' else f'type {kind}'}")
        if not 0 <= index <= len(items):
            raise ValueError(f"index out of range: {index}")
        bounds[place:] = [index, *bounds[place + 1 :]]
    for before, behind in pairwise(bounds):
        if before > behind:
            raise ValueError(f"invalid slice index: {before} > {behind}")
    return items[bounds[0] : bounds[1]]


def take_substring(start: int, end: int, text: str) -> str:
    """Give a part of a text, in bytes; before 0 is the beginning, and an end that there is not is the end.

    Raises:
        ValueError: the part begins behind its end.
    """
    whole = text.encode()
    length = len(whole)
    if start < 0:
        if not 0 <= end <= length:
            raise ValueError(f"{_BOUNDS} [:{end}]{f' with length {length}' if end > 0 else ''}")
        return whole[:end].decode(errors="replace")
    last = end if 0 <= end <= length else length
    if start > last:
        raise ValueError(f"{_BOUNDS} [{start}:{last}]")
    return whole[start:last].decode(errors="replace")


def _type(value: Any) -> str:
    return go_type(type(value).__name__)


def go_type(name: str) -> str:
    """Give what Go calls a type of Python's."""
    return "nil" if "None" in name or "Nil" in name else _TYPES.get(name, name)
