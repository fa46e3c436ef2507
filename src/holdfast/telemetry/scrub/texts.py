"""Finds and replaces in many texts at once: one search over all of them together says which need a closer look.

Clean texts, nearly all, cost one pass of an automaton; only the lines with a hint are looked at kind by kind.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.scrub.patterns import BUILT_IN, Kind, Pattern, compile_expression
from holdfast.telemetry.scrub.settings import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import re2

    from holdfast.telemetry.scrub.settings import OwnPattern

_DIGEST_BYTES: Final = 6  # 48 bits: two values share a hash about once in 16 million
_PUT: Final = re.compile(rb"(?::[0-9a-f]{12})?\]")  # behind the kind: the rest of a mask, or of a hash
_HASH: Final = re.compile(rb"[0-9a-f]{12}\]")
_HASHED: Final = re.compile(rb"\[[a-z][a-z0-9_]*:")
_LONGEST_KIND: Final = 42
_MOST_AT_ONCE: Final = 8 << 20  # letters that are joined for one search
_AFTER_VALUES: Final = frozenset({b",", b"}", b"]", b" ", b"\n", b""})
_VALUE_BEGINS: Final = re.compile(rb'(\\*"):\s?$')
_KEY_BEGINS: Final = "-----BEGIN "
_KEY_ENDS: Final = "-----END "
_MOST_OF_KEY: Final = 200  # lines; 16,384 bits of RSA take 200
_ESCAPES: Final = b"nrtbfuxvae0"


@dataclass(slots=True)
class Scrubbed:
    """What became of texts.

    Attributes:
        texts: as they may be kept, in order; the same object where nothing was found.
        dropped: places of texts in which something was found whose field is to go.
        finds: how often each kind was found, with the action taken.
        times: how often each text came; once if nothing is said.
    """

    texts: Sequence[str]
    dropped: set[int] = field(default_factory=set)
    finds: Counter[tuple[str, Action]] = field(default_factory=Counter)
    times: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: Pattern
    action: Action
    hint: re2._Regexp[bytes]
    expression: re2._Regexp[bytes]
    is_own: bool


@dataclass(frozen=True, slots=True)
class _Find:
    begin: int
    end: int
    rule: _Rule


class TextScrubber:
    """Takes what a tenant does not want kept out of texts."""

    def __init__(self, actions: Mapping[str, Action], own: Sequence[OwnPattern], salt: bytes) -> None:
        """Compile.

        Args:
            actions: what to do by kind; kinds that are not named are kept.
            own: patterns besides the kinds.
            salt: for hashes.

        Raises:
            InvalidError: an own expression is not RE2.
        """
        self.actions = dict(actions) | {pattern.name: pattern.action for pattern in own}
        patterns = [(pattern, self.actions.get(pattern.kind, Action.KEEP)) for pattern in BUILT_IN]
        patterns[:0] = [(Pattern(one.name, one.expression, one.expression), one.action) for one in own]
        self._rules = [
            _Rule(
                pattern,
                action,
                compile_expression(pattern.hint, captures=False),
                compile_expression(pattern.expression),
                pattern.kind not in set(Kind),
            )
            for pattern, action in patterns
            if action is not Action.KEEP
        ]
        hints = "|".join(f"(?:{rule.pattern.hint})" for rule in self._rules)
        self._hint = compile_expression(hints, captures=False) if hints else None
        self.own = {pattern.name: pattern.expression for pattern in own}
        self._salt = salt[:64]

    def scrub(self, texts: Sequence[str], times: Sequence[int] | None = None) -> Scrubbed:
        """Give the texts without what was found; `times` says how often each came, where it stands for many."""
        scrubbed = Scrubbed(texts, times=times)
        if self._hint is None or not texts:
            return scrubbed
        places = [place for begin, end in _parts(texts) for place in self._hinted(texts[begin:end], begin)]
        if places:
            self._replace(scrubbed, _with_keys(texts, places))
        return scrubbed

    def replacement(self, kind: str, action: Action, found: bytes) -> bytes:
        """Give what stands where `found` stood."""
        if action is Action.DROP:
            return b""
        if action is Action.MASK:
            return b"[" + kind.encode() + b"]"
        digest = hashlib.blake2b(found, key=self._salt, digest_size=_DIGEST_BYTES).hexdigest()
        return f"[{kind}:{digest}]".encode()

    def _hinted(self, texts: Sequence[str], first: int) -> list[int]:
        assert self._hint is not None
        joined = _bytes("\n".join(texts))
        search, size = self._hint.search, len(joined)
        found = search(joined)
        if found is None:
            return []
        ends = _ends(texts, joined)
        places: list[int] = []
        last = len(ends) - 1
        while found is not None:
            begin, end = found.span()
            place = bisect_right(ends, begin - 1)  # an end is the place of its line's separator
            until = min(bisect_right(ends, max(begin, end - 1) - 1), last)
            places += range(first + place, first + until + 1)
            begin = ends[until] + 1
            found = search(joined, begin) if begin < size else None
        return places

    def _replace(self, scrubbed: Scrubbed, places: list[int]) -> None:
        texts = scrubbed.texts
        looked_at = [texts[place] for place in places]
        joined = _bytes("\n".join(looked_at))
        ends = _ends(looked_at, joined)
        finds = self._finds(joined, ends)
        if not finds:
            return
        kept = list(texts)
        number = 0
        while number < len(finds):
            line = bisect_right(ends, finds[number].begin - 1)
            begin, end = (ends[line - 1] + 1 if line else 0), ends[line]
            pieces = []
            while number < len(finds) and finds[number].begin < end:
                find = finds[number]
                pieces += [joined[begin : find.begin], self._put(joined, find, scrubbed, places[line])]
                begin, number = find.end, number + 1
            kept[places[line]] = _text(b"".join((*pieces, joined[begin:end])))
        scrubbed.texts = kept

    def _put(self, joined: bytes, find: _Find, scrubbed: Scrubbed, place: int) -> bytes:
        kind, action = find.rule.pattern.kind, find.rule.action
        scrubbed.finds[kind, action] += 1 if scrubbed.times is None else scrubbed.times[place]
        if action is Action.DROP:
            scrubbed.dropped.add(place)
        put = self.replacement(kind, action, joined[find.begin : find.end])
        quote = _missing_quote(joined, find)
        return quote + put + quote

    def _finds(self, joined: bytes, ends: Sequence[int]) -> list[_Find]:
        """Give what was found, in order, none within another; earlier rules come first where finds meet."""
        kept: list[_Find] = []
        for rule in self._rules:
            if rule.hint.search(joined) is None:
                continue
            fresh = [find for found in _each(rule, joined) for find in _within_lines(found, ends)]
            if fresh:
                kept = _joined(kept, fresh) if kept else fresh
        return kept


def _each(rule: _Rule, joined: bytes) -> Iterable[_Find]:
    check, search, place, size = rule.pattern.check, rule.expression.search, 0, len(joined)
    while place < size and (found := search(joined, place)) is not None:
        begin, end = found.span(found.lastindex or 0)
        begin += _escape(joined, begin, rule)
        span = (begin, end) if check is None else check(joined, begin, end)
        if span is None:
            place = found.start() + 1
            continue
        begin, end = span
        place = max(end, found.start() + 1)
        begin += _is_escaped(joined, begin)
        if begin < end and not _is_put(rule.pattern.kind, joined, begin, end):
            yield _Find(begin, end, rule)


def is_replacement(kind: str, found: bytes) -> bool:
    """Tell whether a find is what already stands in a secret's place: who sends may have scrubbed as well."""
    return found.startswith(b"[" + kind.encode()) and _PUT.fullmatch(found, len(kind) + 1) is not None


def _is_put(kind: str, joined: bytes, begin: int, end: int) -> bool:
    """Tell whether a find is a replacement, or the hash in one: `password:` there is no name with a value."""
    if _HASH.match(joined, begin) is not None:
        opened = joined.rfind(b"[", max(0, begin - _LONGEST_KIND), begin)
        return opened >= 0 and _HASHED.fullmatch(joined, opened, begin) is not None
    return is_replacement(kind, joined[begin:end])


def _escape(joined: bytes, begin: int, rule: _Rule) -> int:
    """Give the length of an escape with which the find of a built-in pattern begins."""
    if rule.is_own:
        return 0
    return {b"\\": 2, b"%": 3}.get(joined[begin : begin + 1], 0)


def _is_escaped(joined: bytes, begin: int) -> bool:
    r"""Tell whether the letter at `begin` belongs to the backslash before it: `\nuser@example.com` in JSON."""
    before = begin
    while before and joined[before - 1 : before] == b"\\":
        before -= 1
    return (begin - before) % 2 == 1 and joined[begin] in _ESCAPES


def _within_lines(find: _Find, ends: Sequence[int]) -> Iterable[_Find]:
    begin, end = find.begin, find.end
    line = bisect_right(ends, begin - 1)
    while begin < end:
        stop = min(end, ends[line])
        if begin < stop:
            yield find if (begin, stop) == (find.begin, find.end) else _Find(begin, stop, find.rule)
        begin, line = ends[line] + 1, line + 1


def _joined(kept: list[_Find], fresh: list[_Find]) -> list[_Find]:
    """Put finds together: those that overlap become one, of the kind that came first, unless the second gives way."""
    merged: list[_Find] = []
    for find in sorted([*kept, *fresh], key=lambda find: find.begin):
        if merged and find.begin < merged[-1].end:
            last = merged.pop()
            merged.append(_met(last, find, first=fresh[0].rule))
        else:
            merged.append(find)
    return merged


def _met(last: _Find, find: _Find, *, first: _Rule) -> _Find:
    winner, other = (find, last) if last.rule is first else (last, find)
    if other.rule.pattern.gives_way and winner.rule is not other.rule:
        return winner
    return _Find(min(last.begin, find.begin), max(last.end, find.end), winner.rule)


def _missing_quote(joined: bytes, find: _Find) -> bytes:
    """Give the quote that a mask needs where a number stood as a value of JSON, so that the JSON stays one."""
    if not joined[find.begin : find.end].isdigit() or joined[find.end : find.end + 1] not in _AFTER_VALUES:
        return b""
    found = _VALUE_BEGINS.search(joined[max(0, find.begin - 12) : find.begin])
    return found[1] if found is not None else b""


def _with_keys(texts: Sequence[str], places: list[int]) -> list[int]:
    """Add to the places those texts over which a private key goes on that began in one of them."""
    begun = [place for place in places if _KEY_BEGINS in texts[place] and _KEY_ENDS not in texts[place]]
    if not begun:
        return places
    more = set(places)
    for place in begun:
        following = range(place + 1, min(place + _MOST_OF_KEY, len(texts)))
        end = next((at for at in following if _KEY_ENDS in texts[at]), place)
        more.update(range(place, end + 1))
    return sorted(more)


def _parts(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Give the bounds of parts that are not too long to be joined."""
    total = list(accumulate(map(len, texts)))
    if total[-1] <= _MOST_AT_ONCE:
        return [(0, len(texts))]
    parts, begin = [], 0
    while begin < len(texts):
        reached = total[begin - 1] if begin else 0
        end = max(begin + 1, bisect_right(total, reached + _MOST_AT_ONCE))
        parts.append((begin, end))
        begin = end
    return parts


def _ends(texts: Sequence[str], joined: bytes) -> list[int]:
    """Give for each text the place behind its last byte."""
    if len(joined) == sum(map(len, texts)) + len(texts) - 1:  # all of it is ASCII
        lengths = list(map(len, texts))
    else:
        lengths = [len(_bytes(text)) for text in texts]
    return [end + number for number, end in enumerate(accumulate(lengths))]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(joined: bytes) -> str:
    return joined.decode("utf-8", "surrogatepass")
