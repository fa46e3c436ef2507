"""A field of an item: its name, or a JSON path into it; compiled once, when the file is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from holdfast.kernel.errors import InvalidError

KEY: Final = "@key"
MISSING: Final = object()

Field = Callable[["Item"], Any]
"""Reads a field; gives `MISSING` where it is not."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a source gave: a row, a match, a node of a JSON document with the key under which it stands."""

    value: Any
    key: str = ""


def compile_field(text: str) -> Field:
    """Compile `name`, `$.path.to.it` or `@key`.

    Raises:
        InvalidError: the path is not a JSON path.
    """
    if text == KEY:
        return lambda item: item.key
    if text.startswith("$"):
        path = compile_path(text)

        def follow(item: Item) -> Any:
            found = path.findall(item.value) if isinstance(item.value, (dict, list)) else []
            return found[0] if found else item.value if text == "$" else MISSING

        return follow
    return lambda item: item.value.get(text, MISSING) if isinstance(item.value, Mapping) else MISSING


def compile_path(text: str) -> Any:
    """Compile a JSON path of RFC 9535.

    Raises:
        InvalidError: it is not one.
    """
    import jsonpath  # noqa: PLC0415 -- loaded by the first file that has a JSON path

    try:
        return jsonpath.compile(text, strict=True)
    except jsonpath.JSONPathError as error:
        raise InvalidError(
            f"{text!r} is not a JSON path: {error}", hint="write one such as $.queues[*].depth"
        ) from None
