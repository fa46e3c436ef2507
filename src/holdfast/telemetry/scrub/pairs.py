"""Names and values of attributes without what may not be kept; a name alone, such as `password`, gives a value away."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.logs import Attributes
from holdfast.telemetry.scrub.patterns import SECRET_NAMES, Kind
from holdfast.telemetry.scrub.settings import Action
from holdfast.telemetry.scrub.texts import is_replacement

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.scrub.texts import TextScrubber

_SECRET_NAME: Final = re.compile(SECRET_NAMES)
_NO_WORD: Final = re.compile(r"\W+")


def is_secret_name(name: str) -> bool:
    """Tell whether a name says that its value is a secret."""
    return _SECRET_NAME.search(name) is not None


@dataclass(frozen=True, slots=True)
class ScrubbedPairs:
    """Pairs as they may be kept.

    Attributes:
        keys, values: flat, as many as before.
        changed: places whose value is another one now.
        dropped: places of pairs that are to go.
        finds: what was found.
    """

    keys: Sequence[str]
    values: Sequence[str]
    changed: frozenset[int]
    dropped: frozenset[int]
    finds: Counter[tuple[str, Action]]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.finds


def scrub_pairs(
    scrubber: TextScrubber, keys: Sequence[str], values: Sequence[str], times: Sequence[int] | None = None
) -> ScrubbedPairs:
    """Scrub names and values; `times` says how often each pair came, where it stands for many."""
    scrubbed = scrubber.scrub(values, times)
    finds, dropped = Counter(scrubbed.finds), set(scrubbed.dropped)
    texts = scrubbed.texts
    changed = set() if texts is values else {place for place, text in enumerate(texts) if text is not values[place]}
    names, mapped = set(keys), {}
    action = scrubber.actions.get(Kind.PASSWORD, Action.KEEP)
    secret = set() if action is Action.KEEP else {name for name in names if is_secret_name(name)}
    if secret:
        kept = list(texts)
        for place, name in enumerate(keys):
            if name in secret and values[place] and place not in changed:
                value = values[place].encode("utf-8", "surrogatepass")
                if is_replacement(Kind.PASSWORD, value):
                    continue
                put = scrubber.replacement(Kind.PASSWORD, action, value)
                kept[place] = put.decode()
                changed.add(place)
                finds[Kind.PASSWORD, action] += 1 if times is None else times[place]
                if action is Action.DROP:
                    dropped.add(place)
        texts = kept
    listed = sorted(names)
    found = scrubber.scrub(listed)
    if found.finds:
        finds.update(found.finds)
        for old, new in zip(listed, found.texts, strict=True):
            mapped[old] = old if old == new else _NO_WORD.sub("_", new).strip("_") or "scrubbed"
        keys = [mapped[name] for name in keys]
    return ScrubbedPairs(keys, texts, frozenset(changed), frozenset(dropped), finds)


def scrub_attributes(scrubber: TextScrubber, attributes: Attributes, finds: Counter[tuple[str, Action]]) -> Attributes:
    """Scrub structured metadata; of pairs that came as numbers each different one once, counted as often as it came."""
    pairs = attributes.pairs
    if pairs is not None:
        scrubbed = scrub_pairs(
            scrubber, pairs.keys, pairs.values, np.bincount(pairs.codes, minlength=len(pairs.keys)).tolist()
        )
        if all(kind != Kind.PRIVATE_KEY for kind, _ in scrubbed.finds):
            finds.update(scrubbed.finds)
            return attributes if scrubbed.is_clean else _kept_coded(attributes.offsets, pairs.codes, scrubbed)
        # A key may go on from one value to the next, so that their order matters.
    scrubbed = scrub_pairs(scrubber, attributes.keys, attributes.values)
    finds.update(scrubbed.finds)
    return attributes if scrubbed.is_clean else _kept(attributes.offsets, scrubbed)


def _kept(offsets: npt.NDArray[np.int32], pairs: ScrubbedPairs) -> Attributes:
    if not pairs.dropped:
        return Attributes(offsets, pairs.keys, pairs.values)
    stays = stay(len(pairs.keys), pairs)
    places = np.flatnonzero(stays).tolist()
    return Attributes(
        _ends(stays, offsets), [pairs.keys[place] for place in places], [pairs.values[place] for place in places]
    )


def _kept_coded(offsets: npt.NDArray[np.int32], codes: npt.NDArray[np.int32], pairs: ScrubbedPairs) -> Attributes:
    if pairs.dropped:
        stays = stay(len(pairs.keys), pairs)[codes]
        offsets, codes = _ends(stays, offsets), codes[stays]
    return Attributes.coded(offsets, codes, pairs.keys, pairs.values)


def _ends(stays: npt.NDArray[np.bool_], offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Give the offsets of what stays."""
    counted = np.concatenate((np.zeros(1, np.int32), np.cumsum(stays, dtype=np.int32)))
    ends: npt.NDArray[np.int32] = counted[offsets].astype(np.int32)
    return ends


def stay(count: int, pairs: ScrubbedPairs) -> npt.NDArray[np.bool_]:
    """Tell which pairs stay."""
    stays = np.ones(count, np.bool_)
    stays[list(pairs.dropped)] = False
    return stays


def scrub_label_sets(
    scrubber: TextScrubber, sets: Sequence[Labels], finds: Counter[tuple[str, Action]]
) -> Sequence[Labels]:
    """Scrub sets of pairs; each stays sorted, with each name once."""
    keys = [key for labels in sets for key, _ in labels]
    pairs = scrub_pairs(scrubber, keys, [value for labels in sets for _, value in labels])
    if pairs.is_clean:
        return sets
    finds.update(pairs.finds)
    kept, place = [], 0
    for labels in sets:
        places = range(place, place + len(labels))
        row = {pairs.keys[at]: pairs.values[at] for at in places if at not in pairs.dropped}
        kept.append(tuple(sorted(row.items())))
        place += len(labels)
    return kept
