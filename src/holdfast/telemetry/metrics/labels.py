"""Label sets, as everything about metrics hands them around: sorted pairs, hashable, the name among them.

One of them is no class: a million are alive at once, and tuples of interned strings are the smallest that compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

METRIC_NAME: Final = "__name__"

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by label name (by code point), each name once, no empty value; the metric's name is `__name__`."""


class LabelSets(list[Labels]):
    """The label sets of series that were chosen together; the same list comes again while they are the same.

    `written` belongs to whoever writes them out: what it leaves there it finds with the next answer. Do not change one.
    """

    __slots__ = ("written",)

    written: list[bytes] | None

    def __init__(self, labels: Iterable[Labels] = ()) -> None:
        super().__init__(labels)
        self.written = None


def labels_of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """Give the label set of `pairs`; an empty value is the same as no label."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((name, value) for name, value in items if value))


def name_of(labels: Labels) -> str:
    """Give the metric's name; empty where there is none."""
    for name, value in labels:
        if name == METRIC_NAME:
            return value
    return ""


def without(labels: Labels, *names: str) -> Labels:
    """Give the set without these labels."""
    return tuple(pair for pair in labels if pair[0] not in names)
