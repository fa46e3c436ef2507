"""What sets some spans apart from others: the attributes and resources that are more frequent among them.

Counts stand beside every ratio, because a lift of ten from two spans says nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.telemetry.traces.spans import Span

LEAST: Final = 3  # spans that must bear a value
MOST_VALUES: Final = 0.5  # of the spans; a name with more different values tells spans apart, not what they share
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is more frequent among the chosen spans.

    Attributes:
        name, value: of the attribute, of the resource, or `name` of the span.
        chosen, others: how many spans of each side bear it.
        lift: its share among the chosen, divided by its share among all.
    """

    name: str
    value: str
    chosen: int
    others: int
    lift: float


def compare(chosen: Sequence[Span], others: Sequence[Span], most: int = 50) -> list[Difference]:
    """Give what is over-represented among the chosen, that which explains most of them first."""
    if not chosen or not others:
        return []
    ours, theirs = _count(chosen), _count(others)
    total = len(chosen) + len(others)
    values = Counter(name for name, _ in ours.keys() | theirs.keys())
    found = []
    for (name, value), count in ours.items():
        beside = theirs[name, value]
        lift = (count / len(chosen)) / ((count + beside) / total)
        if count >= LEAST and lift > 1 and values[name] <= max(MOST_VALUES * total, 2):
            found.append(Difference(name, value, count, beside, lift))
    found.sort(key=lambda each: (each.others / len(others) - each.chosen / len(chosen), each.name, each.value))
    return found[:most]


def _count(spans: Iterable[Span]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for span in spans:
        pairs = {**span.resource, **span.attributes, "name": span.name}
        found.update((name, str(value)[:_LONGEST]) for name, value in pairs.items())
    return found
