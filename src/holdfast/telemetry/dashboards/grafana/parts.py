"""Parts of Grafana's JSON by the form that they must have: what has another one is refused with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.wording import shown


def mapping_in(given: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    """Give the object in a field; an empty one where there is none.

    Raises:
        InvalidError: it is something else.
    """
    found = given.get(name) or {}
    if not isinstance(found, Mapping):
        raise _fault("an object", found, _join(path, name))
    return found


def list_in(given: Mapping[str, Any], name: str, path: str = "") -> Sequence[Any]:
    """Give the list in a field; an empty one where there is none. Raises `InvalidError` as `mapping_in`."""
    found = given.get(name) or []
    if not isinstance(found, list):
        raise _fault("a list", found, _join(path, name))
    return found


def mappings_in(given: Mapping[str, Any], name: str, path: str = "") -> Sequence[Mapping[str, Any]]:
    """Give the list of objects in a field; an empty one where there is none. Raises `InvalidError` as `mapping_in`."""
    found = list_in(given, name, path)
    for number, each in enumerate(found):
        if not isinstance(each, Mapping):
            raise _fault("an object", each, f"{_join(path, name)}[{number}]")
    return found


def number_in(given: Mapping[str, Any], name: str) -> float:
    """Give the number in a field, within a million; 0 where there is none, or none that can be placed by."""
    found = given.get(name)
    if not isinstance(found, int | float) or found != found:  # noqa: PLR0124 -- NaN is not itself
        return 0.0
    return max(-1e6, min(1e6, found))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _fault(expected: str, found: object, path: str) -> InvalidError:
    hint = "export the dashboard anew from Grafana, as JSON"
    return InvalidError(f"expected {expected}, found {shown(found)}", hint=hint, place=Place(field=path))
