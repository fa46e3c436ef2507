"""Attributes of many records, in columns, without what may not be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from holdfast.telemetry.logs import Attributes
from holdfast.telemetry.scrub.pairs import ScrubbedPairs, scrub_pairs
from holdfast.telemetry.scrub.patterns import Kind

if TYPE_CHECKING:
    from collections import Counter

    import numpy.typing as npt

    from holdfast.telemetry.scrub.settings import Action
    from holdfast.telemetry.scrub.texts import TextScrubber


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
