"""The judgement of one document: what is wrong with it, each fault with its line, its field and the fix.

Reads values of plain shapes and notes what does not fit; what the values mean is `envelope`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from holdfast.kernel.decoding import Path, suggest
from holdfast.kernel.documents import Document
from holdfast.kernel.errors import InvalidError

_PLAIN: Final = (str, int, float, bool, type(None))


@dataclass(slots=True)
class Judgement:
    """What was found wrong with one document: `faults` refuse it, `warnings` do not."""

    document: Document[dict[str, Any]]
    extra_keys: Collection[str] = ()
    faults: list[InvalidError] = field(default_factory=list)
    warnings: list[InvalidError] = field(default_factory=list)

    def refuse(self, path: Path, message: str, hint: str = "") -> None:
        """Note a fault at `path`."""
        self.faults.append(InvalidError(message, hint=hint, place=self.document.place(*path)))

    def warn(self, path: Path, message: str, hint: str = "") -> None:
        """Note something odd at `path`."""
        self.warnings.append(InvalidError(message, hint=hint, place=self.document.place(*path)))

    def refuse_unknown_keys(self, mapping: Mapping[str, Any], known: Iterable[str], at: Path) -> None:
        """Refuse keys that are neither known nor allowed by `catalog.extra_keys`."""
        for key in mapping:
            dotted = ".".join(map(str, (*at, key)))
            if key not in known and dotted not in self.extra_keys:
                close = suggest(str(key), known)
                own = f"if it is your own, list {dotted!r} in the setting catalog.extra_keys"
                self.refuse((*at, key), f"unknown key {key!r}", f"{close}; {own}" if close else own)

    def refuse_strange_values(self, value: Any, at: Path = ()) -> None:
        """Refuse what YAML can say and JSON cannot, as Backstage does: bytes, sets, numbers that are none."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self.refuse_strange_values(inner, (*at, str(key)))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.refuse_strange_values(inner, (*at, index))
        elif (isinstance(value, float) and not math.isfinite(value)) or not isinstance(value, _PLAIN):
            self.refuse(at, f"JSON has no such value: {_describe(value)}", "write it as text, in quotes")

    def mapping(self, value: Any, at: Path, *, is_required: bool = False) -> dict[str, Any] | None:
        """Give `value` if it is a mapping; refuse it if it is something else."""
        if isinstance(value, dict):
            return value
        if value is not None:
            self.refuse(at, f"expected a mapping, found {_describe(value)}")
        elif is_required:
            self.refuse(at, f"{at[-1]!r} is required" if isinstance(at[-1], str) else "expected a mapping")
        return None

    def text(self, mapping: Mapping[str, Any], key: str, at: Path, *, is_required: bool = False) -> str:
        """Give the text under `key`, empty when there is none."""
        value = mapping.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, dict | list):
            self.refuse((*at, key), f"expected text, found {_describe(value)}")
        elif value is not None and not isinstance(value, str):
            self.refuse((*at, key), f"expected text, found {value!r}", quoting_hint(value))
        elif is_required:
            self.refuse((*at, key), f"{key!r} is required")
        return ""

    def texts(self, mapping: Mapping[str, Any], key: str, at: Path) -> tuple[tuple[int, str], ...]:
        """Give the texts in the list under `key`, each with its place in the list."""
        value = mapping.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse((*at, key), f"expected a list, found {_describe(value)}", f"write {key}: [...]")
            return ()
        good = []
        for index, item in enumerate(value):
            if isinstance(item, str) and item.strip():
                good.append((index, item))
            else:
                self.refuse((*at, key, index), f"expected text, found {_describe(item)}")
        return tuple(good)


def quoting_hint(value: object) -> str:
    """Say how to write a number or a truth value so that YAML reads it as text."""
    return f'write "{str(value).lower() if isinstance(value, bool) else value}" in quotes'


def _describe(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", type(None): "nothing"}
    text = names.get(type(value)) or repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
