"""Joins scrubbing to the app: one set of scrubbers for logs and traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.scrub.records import LogScrubber
from holdfast.telemetry.scrub.routes import routes
from holdfast.telemetry.scrub.scrubbing import Scrubbing
from holdfast.telemetry.scrub.settings import ScrubSettings
from holdfast.telemetry.scrub.spans import TraceScrubber

if TYPE_CHECKING:
    from holdfast.kernel.wiring import Ground


@dataclass(frozen=True, slots=True)
class ScrubRoom:
    """Who scrubs log records, and who scrubs spans."""

    logs: LogScrubber
    traces: TraceScrubber
    wiring: Wiring


def wire(ground: Ground) -> ScrubRoom:
    """Build the room."""
    scrubbing = Scrubbing(ground.settings[ScrubSettings], ground.metrics)
    wiring = Wiring(name="scrub", routers=(routes(scrubbing),))
    return ScrubRoom(LogScrubber(scrubbing), TraceScrubber(scrubbing), wiring)
