"""Spans without what may not be kept: names, attributes, resources, events, links and status messages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.scrub.attributes import stay
from holdfast.telemetry.scrub.pairs import ScrubbedPairs, is_secret_name, scrub_label_sets, scrub_pairs
from holdfast.telemetry.scrub.patterns import SECRET_NAMES, Kind
from holdfast.telemetry.scrub.settings import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.scrub.scrubbing import Scrubbing
    from holdfast.telemetry.scrub.texts import TextScrubber
    from holdfast.telemetry.traces import Codes, Pairs, Spans, Texts

_SIGNAL: Final = "traces"
_IDENTITY: Final = frozenset({"ts_ns", "trace_id", "span_id"})
_SECRET_NAME: Final = re.compile(SECRET_NAMES.replace("(?:^|", '(?:"|').removesuffix("$") + '"')
_GONE: Final = object()

Finds = Counter[tuple[str, Action]]


class TraceScrubber:
    """Scrubs spans; a `SpanScrubber`."""

    def __init__(self, scrubbing: Scrubbing) -> None:
        self._scrubbing = scrubbing

    def scrub(self, tenant: TenantId, spans: Spans) -> Spans:
        """Give the spans as they may be kept."""
        scrubber, finds = self._scrubbing.of(tenant), Finds()
        scrubbed = replace(
            spans,
            services=_texts(scrubber, spans.services, finds),
            names=_texts(scrubber, spans.names, finds),
            status_messages=_texts(scrubber, spans.status_messages, finds),
            scopes=_texts(scrubber, spans.scopes, finds),
            trace_states=_texts(scrubber, spans.trace_states, finds),
            attributes=_pairs(scrubber, spans.attributes, finds),
            resources=scrub_label_sets(scrubber, spans.resources, finds),
            events=_documents(scrubber, spans.events, finds),
            links=_documents(scrubber, spans.links, finds),
        )
        if not finds:
            return spans
        self._scrubbing.count(tenant, _SIGNAL, finds)
        return scrubbed


def _texts(scrubber: TextScrubber, texts: Texts, finds: Finds) -> Texts:
    """Scrub each different text once, and count what was found as often as it came."""
    scrubbed = scrubber.scrub(texts.values)
    if not scrubbed.finds:
        return texts
    finds.update(scrubbed.finds)
    changed = [place for place, text in enumerate(scrubbed.texts) if text is not texts.values[place]]
    again = [texts.values[place] for place in _more(texts.codes, changed, len(texts.values))]
    finds.update(scrubber.scrub(again).finds)
    return replace(texts, values=scrubbed.texts)


def _pairs(scrubber: TextScrubber, pairs: Pairs, finds: Finds) -> Pairs:
    """Scrub each different attribute once, as above."""
    scrubbed = scrub_pairs(scrubber, pairs.keys, pairs.values)
    if scrubbed.is_clean:
        return pairs
    finds.update(scrubbed.finds)
    again = _more(pairs.codes, sorted(scrubbed.changed | scrubbed.dropped), len(pairs.keys))
    keys, values = ([column[place] for place in again] for column in (pairs.keys, pairs.values))
    finds.update(scrub_pairs(scrubber, keys, values).finds)
    kept = replace(pairs, keys=scrubbed.keys, values=scrubbed.values, letters=_letters(pairs, scrubbed))
    return kept.kept(stay(len(pairs.keys), scrubbed)) if scrubbed.dropped else kept


def _more(codes: Codes, places: Sequence[int], count: int) -> list[int]:
    """Give the places that came more than once, as often as they came more."""
    often = np.bincount(codes, minlength=count)
    return np.repeat(places, np.maximum(often[places] - 1, 0)).tolist() if len(places) else []


def _letters(pairs: Pairs, scrubbed: ScrubbedPairs) -> str:
    """Give the letters of types: what was masked is a text now."""
    letters = list(pairs.letters)
    for place in scrubbed.changed:
        if letters[place] != "j" or not _is_json(scrubbed.values[place]):
            letters[place] = "s"
    return "".join(letters)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _documents(scrubber: TextScrubber, documents: Texts, finds: Finds) -> Texts:
    """Scrub lists of events or links in JSON; only those in which something may be are taken apart."""
    scrubbed = scrubber.scrub(documents.values)
    kept = list(documents.values)
    for place, document in enumerate(kept):
        if document and (scrubbed.texts[place] is not document or _SECRET_NAME.search(document)):
            found = Finds()
            items = [
                {name: part if name in _IDENTITY else _part(scrubber, part, found) for name, part in item.items()}
                for item in orjson.loads(document)
            ]
            kept[place] = orjson.dumps(items).decode()
            often = int(np.count_nonzero(documents.codes == place))
            finds.update({kind: number * often for kind, number in found.items()})
    return replace(documents, values=kept)


def _part(scrubber: TextScrubber, part: Any, finds: Finds) -> Any:
    scrubbed = _scrubbed(scrubber, part, finds)
    return "" if scrubbed is _GONE else scrubbed


def _scrubbed(scrubber: TextScrubber, value: Any, finds: Finds, name: str = "") -> Any:
    match value:
        case dict():
            pairs = {key: _scrubbed(scrubber, inner, finds, key) for key, inner in value.items()}
            return {_text(scrubber, key, finds): inner for key, inner in pairs.items() if inner is not _GONE}
        case list():
            return [put for inner in value if (put := _scrubbed(scrubber, inner, finds, name)) is not _GONE]
        case None | bool() | "":
            return value
    action = scrubber.actions.get(Kind.PASSWORD, Action.KEEP)
    if action is not Action.KEEP and is_secret_name(name):
        finds[Kind.PASSWORD, action] += 1
        put = scrubber.replacement(Kind.PASSWORD, action, str(value).encode()).decode()
        return _GONE if action is Action.DROP else put
    scrubbed = scrubber.scrub([str(value)])
    finds.update(scrubbed.finds)
    if scrubbed.dropped:
        return _GONE
    return scrubbed.texts[0] if scrubbed.finds else value


def _text(scrubber: TextScrubber, text: str, finds: Finds) -> str:
    scrubbed = scrubber.scrub([text])
    finds.update(scrubbed.finds)
    return scrubbed.texts[0]
