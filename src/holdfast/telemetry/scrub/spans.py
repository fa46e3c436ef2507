"""Spans without what may not be kept: names, attributes, resources, events, links and status messages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.scrub.pairs import (
    ScrubbedPairs,
    is_secret_name,
    kept_attributes,
    scrub_label_sets,
    scrub_pairs,
    stay,
)
from holdfast.telemetry.scrub.patterns import SECRET_NAMES, Kind
from holdfast.telemetry.scrub.settings import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.scrub.scrubbing import Scrubbing
    from holdfast.telemetry.scrub.texts import TextScrubber
    from holdfast.telemetry.traces import Spans

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

        def texts(column: Sequence[str]) -> Sequence[str]:
            scrubbed = scrubber.scrub(column)
            finds.update(scrubbed.finds)
            return scrubbed.texts

        pairs = scrub_pairs(scrubber, spans.attributes.keys, spans.attributes.values)
        finds.update(pairs.finds)
        scrubbed = replace(
            spans,
            services=texts(spans.services),
            names=texts(spans.names),
            status_messages=texts(spans.status_messages),
            scopes=texts(spans.scopes),
            trace_states=texts(spans.trace_states),
            attributes=spans.attributes if pairs.is_clean else kept_attributes(spans.attributes, pairs),
            types=spans.types if pairs.is_clean else _types(spans, pairs),
            resources=scrub_label_sets(scrubber, spans.resources, finds),
            events=_documents(scrubber, spans.events, finds),
            links=_documents(scrubber, spans.links, finds),
        )
        if not finds:
            return spans
        self._scrubbing.count(tenant, _SIGNAL, finds)
        return scrubbed


def _types(spans: Spans, pairs: ScrubbedPairs) -> list[str]:
    """Give the letters of types: what was masked is a text now."""
    letters = np.array(list("".join(spans.types)))
    for place in pairs.changed:
        if letters[place] != "j" or not _is_json(pairs.values[place]):
            letters[place] = "s"
    stays, offsets = stay(len(letters), pairs), spans.attributes.offsets
    return [
        "".join(letters[begin:end][stays[begin:end]].tolist())
        for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _documents(scrubber: TextScrubber, documents: Sequence[str], finds: Finds) -> Sequence[str]:
    """Scrub lists of events or links in JSON; only those in which something may be are taken apart."""
    scrubbed = scrubber.scrub(documents)
    kept = list(documents)
    for place, document in enumerate(documents):
        if document and (scrubbed.texts[place] is not document or _SECRET_NAME.search(document)):
            items = [
                {name: part if name in _IDENTITY else _part(scrubber, part, finds) for name, part in item.items()}
                for item in orjson.loads(document)
            ]
            kept[place] = orjson.dumps(items).decode()
    return kept


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
