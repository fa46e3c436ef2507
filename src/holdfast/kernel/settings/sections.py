"""What a room says of its settings: a name and a frozen dataclass. Reading them is `tree`'s work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the tree: `[name]` in the file, `HOLDFAST_<NAME>_<FIELD>` in the environment.

    `shape` is a frozen dataclass whose every field has a default, so that no settings at all is a valid choice. A field
    that must not be seen is a `kernel.secrets.Secret`.
    """

    name: str
    shape: type[Any]
