"""Reading what products answer in JSON without trusting its shape."""

from __future__ import annotations

from typing import Any

from holdfast.health.probes.attempts import one_line
from holdfast.health.probes.faults import FaultError

_NAMES = {dict: "an object", list: "a list", str: "text", int: "a number", bool: "true or false"}


def pick(document: Any, *path: str) -> Any:
    """Give the value at `path`, or None where the path ends early."""
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def need(kind: type[Any], document: Any, *path: str) -> Any:
    """Give the value at `path`, which must be a `kind`.

    Raises:
        FaultError: it is not there or is something else.
    """
    value = pick(document, *path)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        place = ".".join(path) or "the top"
        raise FaultError(f"expected {_NAMES[kind]} at {place}, found {_shown(value)}")
    return value


def objects(document: Any, *path: str) -> list[dict[str, Any]]:
    """Give the list of objects at `path`; an absent one is empty.

    Raises:
        FaultError: it is something else.
    """
    value = pick(document, *path)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise FaultError(f"expected a list of objects at {'.'.join(path)}, found {_shown(value)}")
    return value


def number(document: Any, *path: str) -> int:
    """Give the whole number at `path`; 0 where there is none, as APIs that leave out zeros mean it."""
    value = pick(document, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _shown(value: Any) -> str:
    return "nothing" if value is None else one_line(repr(value), 60)
