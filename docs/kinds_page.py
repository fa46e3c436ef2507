"""Renders the page of check kinds from their specs: every field, nested ones by their path. Used by `generate.py`."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from holdfast.health.probes import ProbeKind
from holdfast.kernel.units import Duration, format_duration

HEAD = """# Kinds of checks

What a check file may say in the section of each kind, `http:` for `kind: http` and so on. `[]` is an entry of a list.
Where a text may hold a secret it takes references such as `${env:NAME}` and `${file:/path}`.
"""
Row = tuple[str, str, str]


def write_check_kinds(kinds: Iterable[ProbeKind]) -> Iterator[tuple[str, list[Row]]]:
    """Give the heading and the rows (field, default, meaning) of each kind."""
    for kind in kinds:
        yield f"## {kind.name}\n\n{flat((kind.spec.__doc__ or '').split('Attributes:')[0])}\n", [*rows_of(kind.spec)]


def rows_of(shape: type[Any], above: str = "") -> Iterator[Row]:
    """Give one row per field, depth first."""
    texts = {name: text for kind in reversed(shape.__mro__) for name, text in read_attributes(kind.__doc__).items()}
    hints = typing.get_type_hints(shape, include_extras=True)
    for field in dataclasses.fields(shape):
        if field.name not in texts:
            raise SystemExit(f"{shape.__qualname__}.{field.name} is not described under `Attributes:`")
        inner, is_list = find_shape(hints[field.name])
        path = f"{above}{field.name}{'[]' if inner and is_list else ''}"
        yield f"`{path}`", show_default(field, hints[field.name]), texts[field.name]
        if inner is not None:
            yield from rows_of(inner, f"{path}.")


def find_shape(hint: Any) -> tuple[type[Any] | None, bool]:
    """Give the dataclass inside a type, if there is one, and whether it stands in a list."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return hint, False
    inside = [find_shape(part) for part in typing.get_args(hint)]
    found = next((shape for shape, _ in inside if shape is not None), None)
    return found, typing.get_origin(hint) is tuple or any(is_list for _, is_list in inside)


def show_default(field: dataclasses.Field[Any], hint: Any) -> str:
    """Give a default as a file would say it."""
    if field.default_factory is not dataclasses.MISSING:
        return show(field.default_factory(), hint)
    return "required" if field.default is dataclasses.MISSING else show(field.default, hint)


def show(value: Any, hint: Any) -> str:
    """Give a value as a file would say it; empty ones and marks for "not given" are none."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float) and hint == Duration:
        return f"`{format_duration(value)}`"
    if isinstance(value, dict) and value:
        return "`{" + ", ".join(f"{key}: {entry}" for key, entry in value.items()) + "}`"
    if isinstance(value, tuple) and value:
        return "`[" + ", ".join(str(entry) for entry in value) + "]`"
    if isinstance(value, (int, float)) or (isinstance(value, str) and value and not value.startswith("\0")):
        return f"`{value}`"
    return show_changes(value)


def show_changes(value: Any) -> str:
    """Give what a nested default says that its type's own defaults do not."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return "none"
    hints = typing.get_type_hints(type(value), include_extras=True)
    texts = []
    for field in dataclasses.fields(value):
        found = getattr(value, field.name)
        if field.default_factory is dataclasses.MISSING and found != field.default:
            is_span = Duration in (hints[field.name], *typing.get_args(hints[field.name]))
            texts.append(f"{field.name}: {format_duration(found) if is_span else found}")
    return "`{" + ", ".join(texts) + "}`" if texts else ""


def read_attributes(docstring: str | None) -> dict[str, str]:
    """Give what a class says of its attributes, by name."""
    _, _, block = (docstring or "").partition("Attributes:\n")
    found = re.findall(r"^ {8}(\w+): (.+(?:\n {12,}.+)*)", block, re.MULTILINE)
    return {name: flat(text) for name, text in found}


def flat(text: str) -> str:
    """Put a text on one line."""
    return re.sub(r"\s+", " ", text).strip()
