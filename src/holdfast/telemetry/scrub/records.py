"""Log records without what may not be kept: the `Scrubber` of logs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import re2

from holdfast.telemetry.scrub.attributes import scrub_attributes
from holdfast.telemetry.scrub.pairs import scrub_label_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs import Records
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.scrub.scrubbing import Scrubbing
    from holdfast.telemetry.scrub.settings import Action
    from holdfast.telemetry.scrub.texts import TextScrubber

_SIGNAL: Final = "logs"
_IDS: Final = re2.compile(rb"(?:[0-9a-f]{16}(?:[0-9a-f]{16})?)?(?:\n(?:[0-9a-f]{16}(?:[0-9a-f]{16})?)?)*")

Finds = Counter[tuple[str, "Action"]]


class LogScrubber:
    """Scrubs bodies, structured metadata, severity texts, ids that are none, and labels."""

    def __init__(self, scrubbing: Scrubbing) -> None:
        self._scrubbing = scrubbing

    def scrub(self, tenant: TenantId, records: Records) -> Records:
        """Give the records as they may be kept."""
        scrubber, finds = self._scrubbing.of(tenant), Finds()
        bodies = scrubber.scrub(records.bodies)
        finds.update(bodies.finds)
        attributes = records.attributes
        if attributes is not None and attributes.keys:
            attributes = scrub_attributes(scrubber, attributes, finds)
        scrubbed = replace(
            records,
            bodies=bodies.texts,
            attributes=attributes,
            shared=scrub_label_sets(scrubber, records.shared, finds),
            severity_texts=_texts(scrubber, records.severity_texts, finds),
            trace_ids=_ids(scrubber, records.trace_ids, finds),
            span_ids=_ids(scrubber, records.span_ids, finds),
            levels=_texts(scrubber, records.levels, finds),
        )
        if not finds:
            return records
        self._scrubbing.count(tenant, _SIGNAL, finds)
        return scrubbed

    def scrub_labels(self, tenant: TenantId, labels: Labels) -> Labels:
        """Give the labels of a stream as they may be kept."""
        finds = Finds()
        (kept,) = scrub_label_sets(self._scrubbing.of(tenant), (labels,), finds)
        self._scrubbing.count(tenant, _SIGNAL, finds)
        return kept


def _texts(scrubber: TextScrubber, texts: Sequence[str] | None, finds: Finds) -> Sequence[str] | None:
    """Scrub texts of which few differ."""
    if texts is None:
        return None
    different = [text for text in set(texts) if text]
    scrubbed = scrubber.scrub(different)
    if not scrubbed.finds:
        return texts
    finds.update(scrubbed.finds)
    kept = dict(zip(different, scrubbed.texts, strict=True))
    return [kept.get(text, text) for text in texts]


def _ids(scrubber: TextScrubber, ids: Sequence[str] | None, finds: Finds) -> Sequence[str] | None:
    """Scrub what stands where ids should: 16 hexadecimal digits may look like a card, and are none."""
    if ids is None or _IDS.fullmatch("\n".join(ids).encode("utf-8", "surrogatepass")) is not None:
        return ids
    return _texts(scrubber, ids, finds)
