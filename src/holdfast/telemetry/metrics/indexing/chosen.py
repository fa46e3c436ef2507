"""Series that a selector chose, and those lately chosen that stand: the same question then gets the very same ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.growing import Growing
from holdfast.telemetry.metrics.indexing.columns import Ordinals
from holdfast.telemetry.metrics.indexing.group import Group, Lives, lives_of
from holdfast.telemetry.metrics.labels import Labels, LabelSets

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.samples import Matcher

_MANY: Final = 4_000  # ids that one statement may name
MOST_STANDING: Final = 100_000  # series of choices that are remembered, some 200 bytes each


class Numbered(Protocol):
    """Series in a numbering of their own: a metric's, or all of a tenant."""

    labels: list[Labels]
    ids: Growing[np.uint64]
    first_ms: Growing[np.int64]
    last_ms: Growing[np.int64]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Series that a selector chose, sorted by id.

    Attributes:
        family: what they have in common, the key by which their samples are remembered.
        names: of their metrics.
        labels: their label sets.
        ids: their ids.
        first_ms, last_ms: their lives; a sample may come up to `ANNOUNCE_EVERY_MS` after `last_ms`.
        lives: what those have in common.
        is_whole: whether they are all, or of many most, of the series that live then of their metric, or of the tenant:
            samples of all are read faster than of each by its id.
    """

    family: str
    names: tuple[str, ...]
    labels: LabelSets
    ids: npt.NDArray[np.uint64]
    first_ms: npt.NDArray[np.int64]
    last_ms: npt.NDArray[np.int64]
    lives: Lives
    is_whole: bool


def is_most(chosen: int, known: int) -> bool:
    """Tell whether so many of the known series are all of them, or of many most."""
    return chosen == known or (chosen > _MANY and 2 * chosen >= known)


def chosen_of(series: Numbered, ordinals: Ordinals, names: Sequence[str], *, is_whole: bool) -> Chosen:
    """Give series of these metrics, in the order of `ordinals`."""
    labels = series.labels
    first_ms, last_ms = series.first_ms.live[ordinals], series.last_ms.live[ordinals]
    return Chosen(
        names[0] if len(names) == 1 else _family_of(names),
        tuple(names),
        LabelSets([labels[ordinal] for ordinal in ordinals.tolist()]),
        series.ids.live[ordinals],
        first_ms,
        last_ms,
        lives_of(first_ms, last_ms),
        is_whole,
    )


def _family_of(names: Sequence[str]) -> str:
    """Name several metrics as no metric is called."""
    return "\xff" + blake2b("\xff".join(names).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def nothing() -> Chosen:
    """Give no series."""
    none = np.zeros(0, np.int64)
    return Chosen("", (), LabelSets(), none.astype(np.uint64), none, none, lives_of(none, none), is_whole=False)


class Standing:
    """What was lately chosen of single metrics, as long as nothing is announced of them."""

    def __init__(self) -> None:
        self._chosen: OrderedDict[tuple[Group, tuple[Matcher, ...]], tuple[int, Chosen]] = OrderedDict()
        self._series = 0

    def get(self, group: Group, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Chosen | None:
        """Give what was chosen, if it stands and all of it lives in [start_ms, end_ms]."""
        key = (group, matchers)
        known = self._chosen.get(key)
        if known is None or known[0] != group.changes or not known[1].lives.are_within(start_ms, end_ms):
            return None
        self._chosen.move_to_end(key)
        return known[1]

    def put(self, group: Group, matchers: tuple[Matcher, ...], chosen: Chosen) -> None:
        """Remember what the matchers choose of all that a metric has."""
        before = self._chosen.pop((group, matchers), None)
        self._series += len(chosen.ids) - (len(before[1].ids) if before is not None else 0)
        self._chosen[group, matchers] = group.changes, chosen
        while self._series > MOST_STANDING:
            _, (_, gone) = self._chosen.popitem(last=False)
            self._series -= len(gone.ids)
