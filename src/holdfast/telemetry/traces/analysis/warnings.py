"""What is odd about a trace, so that nobody draws conclusions from what has not come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.traces.analysis.tree import NO_ROW
from holdfast.telemetry.traces.spans import NO_PARENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.traces.analysis.tree import Tree

_SECOND_NS: Final = 10**9


class WarningCode(StrEnum):
    """What is odd."""

    MISSING_ROOT = "missing_root"
    MANY_ROOTS = "many_roots"
    MISSING_PARENT = "missing_parent"
    CIRCLE = "circle"
    CLOCK_SKEW = "clock_skew"
    DUPLICATES = "duplicates"


@dataclass(frozen=True, slots=True)
class Warned:
    """One oddity: a sentence for people, and the rows that it is about."""

    code: WarningCode
    message: str
    rows: Sequence[int]


def find_warnings(tree: Tree, duplicates: int = 0) -> list[Warned]:
    """Give what is odd about a tree whose clocks are aligned; `duplicates` of its spans were left out before."""
    found: list[Warned] = []

    def warn(code: WarningCode, message: str, rows: Sequence[int]) -> None:
        if rows:
            found.append(Warned(code, message, rows))

    roots, cut = tree.roots, set(tree.circles)
    orphans = [row for row in tree.tops if tree.spans.parent_ids[row] != NO_PARENT and row not in cut]
    if not roots:
        warn(WarningCode.MISSING_ROOT, "The root span has not come; the earliest span stands for it.", [tree.root])
    if len(roots) > 1:
        warn(WarningCode.MANY_ROOTS, f"{len(roots)} spans have no parent; a trace has one root.", roots)
    warn(WarningCode.MISSING_PARENT, f"{_spans(len(orphans), 'names', 'name')} a parent that has not come.", orphans)
    warn(WarningCode.CIRCLE, f"{len(cut)} spans are their own ancestors; they stand at the top.", tree.circles)
    skews = tree.skews_ns
    above = np.where(tree.parents == NO_ROW, 0, skews[tree.parents])
    moved: list[int] = np.flatnonzero((skews != 0) & (skews != above)).tolist()
    if moved:
        most = max(skews[moved].tolist(), key=abs)
        by = f"{most / 1e6:+,.3f} ms" if abs(most) < _SECOND_NS else f"{most / _SECOND_NS:+,.2f} s"
        text = f"Clocks differ: {_spans(len(moved), 'was', 'were')} moved, each with what is below it, by {by} at most."
        warn(WarningCode.CLOCK_SKEW, text, moved)
    if duplicates:
        found.append(
            Warned(
                WarningCode.DUPLICATES, f"{_spans(duplicates, 'came', 'came')} more than once; each stands once.", ()
            )
        )
    return found


def _spans(count: int, one: str, many: str) -> str:
    return f"1 span {one}" if count == 1 else f"{count:,} spans {many}"
