"""Names and values without what may not be kept; a name alone, such as `password`, gives a value away."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.scrub.patterns import SECRET_NAMES, Kind
from holdfast.telemetry.scrub.settings import Action
from holdfast.telemetry.scrub.texts import is_replacement

if TYPE_CHECKING:
    from collections.abc import Sequence

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
