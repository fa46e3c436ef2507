"""How well a name fits what somebody types: from 0 (not at all) to 1, so that the likeliest come first.

Two measures: letters in order with as few gaps as may be (`subsequence`), and letters that are the same nearly in place
(`jarowinkler`). Source: Prometheus 3, web/api/v1/search_filters.go and util/strutil.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

ALGORITHMS: Final = ("subsequence", "jarowinkler")

_WITHIN: Final = 0.9  # the score of a name that holds the term, but does not begin with it
_PREFIX_LETTERS: Final = 4
_PREFIX_WEIGHT: Final = 0.1


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: names that fit one of `terms` as well as `threshold` wants; any where there are no terms."""

    terms: tuple[str, ...] = ()
    algorithm: str = ALGORITHMS[0]
    threshold: float = 0.0
    is_case_sensitive: bool = True

    def rank(self, names: list[str]) -> list[tuple[str, float]]:
        """Give the names that fit, in their order, each with its score."""
        if not self.terms:
            return [(name, 1.0) for name in names]
        scores = [self._scorer(term if self.is_case_sensitive else term.lower()) for term in self.terms]
        ranked = []
        for name in names:
            text = name if self.is_case_sensitive else name.lower()
            best = max(score(text) for score in scores)
            if best > 0:
                ranked.append((name, best))
        return ranked

    def _scorer(self, term: str) -> Callable[[str], float]:
        if self.algorithm == "jarowinkler":
            return partial(self._score_alike, term)
        # Most names are not for the term at all, which an expression finds out in a tenth of the time.
        in_order = re.compile(".*?".join(map(re.escape, term)), re.DOTALL)
        return partial(self._score_in_order, term, in_order)

    def _score_in_order(self, term: str, in_order: re.Pattern[str], text: str) -> float:
        if text.startswith(term):
            return 1.0
        score = spread(term, text) if in_order.search(text) else 0.0
        return score if score >= self.threshold else 0.0

    def _score_alike(self, term: str, text: str) -> float:
        if term in text:
            return 1.0 if text.startswith(term) else _WITHIN
        score = likeness(term, text) if self.threshold else 0.0
        return score if score >= self.threshold else 0.0


def spread(term: str, text: str) -> float:
    """Score the letters of `term` where they stand in `text` in order: runs count squared, gaps a little against.

    From each place of the first letter on the next letters are taken where they come first; the best place counts.
    """
    best, start = 0.0, text.find(term[0])
    while start >= 0:
        score = _spread_from(term, text, start)
        if score is None:
            break  # nor from any later place
        best = max(best, score)
        start = text.find(term[0], start + 1)
    return best / len(term) ** 2


def _spread_from(term: str, text: str, start: int) -> float | None:
    score, end, at = 0.0, 0, start
    taken = 0
    while taken < len(term):
        at = text.find(term[taken], at)
        if at < 0:
            return None
        begin, gap = at, at - end
        while taken < len(term) and at < len(text) and text[at] == term[taken]:
            at, taken = at + 1, taken + 1
        score += (at - begin) ** 2 - gap / len(text)
        end = at
    return score - (len(text) - end) / len(text) / 2


def likeness(one: str, other: str) -> float:
    """Give how alike two texts are, by Jaro and Winkler."""
    short, long = sorted((one, other), key=len)
    reach = max(len(long) // 2 - 1, 0)
    free, pairs = [True] * len(long), []
    for place, letter in enumerate(short):
        near = range(max(place - reach, 0), min(place + reach + 1, len(long)))
        found = next((at for at in near if free[at] and long[at] == letter), None)
        if found is not None:
            free[found] = False
            pairs.append((letter, found))
    if not pairs:
        return 0.0
    moved = sum(letter != long[at] for (letter, _), at in zip(pairs, sorted(at for _, at in pairs), strict=True))
    count = len(pairs)
    jaro = (count / len(short) + count / len(long) + (count - moved / 2) / count) / 3
    prefix = 0
    while prefix < min(_PREFIX_LETTERS, len(short)) and short[prefix] == long[prefix]:
        prefix += 1
    return jaro + prefix * _PREFIX_WEIGHT * (1 - jaro)
