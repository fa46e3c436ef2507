"""Scrubbing where lines are sent from: what a sender keeps on its own disk is as clean as what the server keeps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from holdfast.telemetry.scrub.pairs import scrub_label_sets
from holdfast.telemetry.scrub.scrubbing import scrubber_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.scrub.settings import Action, ScrubSettings


class SenderScrubber:
    """Scrubs lines with their pairs, as the settings say for one tenant; `finds` counts by kind and action."""

    def __init__(self, settings: ScrubSettings, tenant: str = "") -> None:
        """Compile.

        Raises:
            InvalidError: an own expression is not RE2, or something is to be hashed and there is no salt.
        """
        self._scrubber = scrubber_of(settings, tenant)
        self.finds: Counter[tuple[str, Action]] = Counter()

    def lines(self, texts: Sequence[str]) -> Sequence[str]:
        """Give lines as they may be kept."""
        scrubbed = self._scrubber.scrub(texts)
        self.finds.update(scrubbed.finds)
        return scrubbed.texts

    def pairs(self, sets: Sequence[Labels]) -> Sequence[Labels]:
        """Give sets of names and values as they may be kept, each sorted."""
        return scrub_label_sets(self._scrubber, sets, self.finds)
