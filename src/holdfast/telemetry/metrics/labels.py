"""Label sets, as everything about metrics hands them around: sorted pairs, hashable, the name among them.

No class: a million of them are alive at once, and tuples of interned strings are the smallest thing that compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

METRIC_NAME: Final = "__name__"

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by label name (by code point), each name once, no empty value; the metric's name is `__name__`."""


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
