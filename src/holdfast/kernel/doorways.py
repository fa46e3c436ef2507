"""Doors whose rooms are furnished when somebody enters: what a package offers is imported when it is first asked for.

For packages of which a command needs a corner only. Names that do not exist stay errors; types are read from imports
under `TYPE_CHECKING`, which a test compares with the table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def open_lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Give the `__getattr__` of a package.

    Args:
        package: its `__name__`.
        homes: module below it -> the names that the package takes from there, parted by spaces; `offered=inner`
            where it offers one under another name.

    Raises:
        AttributeError: (the function) the package does not offer the name.
    """
    places = dict(_places(homes))

    def load(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home, inner = places[name]
        value: object = getattr(import_module(f"{package}.{home}"), inner)
        setattr(sys.modules[package], name, value)
        return value

    return load


def _places(homes: Mapping[str, str]) -> list[tuple[str, tuple[str, str]]]:
    found = []
    for home, names in homes.items():
        for name in names.split():
            offered, _, inner = name.partition("=")
            found.append((offered, (home, inner or offered)))
    return found
