"""Takes secrets and personal data out of log records and spans before anything is stored, queued or followed.

Owns what is looked for (`patterns`), the action per tenant (`settings`) and the counts. Refuses to know doors and
stores: sinks call it.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.telemetry.scrub.patterns import Kind
    from holdfast.telemetry.scrub.records import LogScrubber
    from holdfast.telemetry.scrub.scrubbing import Scrubbing
    from holdfast.telemetry.scrub.senders import SenderScrubber
    from holdfast.telemetry.scrub.settings import SCRUB_SECTION, Action, OwnPattern, ScrubSettings, TenantScrubbing
    from holdfast.telemetry.scrub.spans import TraceScrubber
    from holdfast.telemetry.scrub.texts import TextScrubber
    from holdfast.telemetry.scrub.wiring import ScrubRoom, wire

__all__ = [
    "SCRUB_SECTION",
    "Action",
    "Kind",
    "LogScrubber",
    "OwnPattern",
    "ScrubRoom",
    "ScrubSettings",
    "Scrubbing",
    "SenderScrubber",
    "TenantScrubbing",
    "TextScrubber",
    "TraceScrubber",
    "wire",
]

_HOMES = {
    "patterns": "Kind",
    "records": "LogScrubber",
    "scrubbing": "Scrubbing",
    "senders": "SenderScrubber",
    "settings": "SCRUB_SECTION Action OwnPattern ScrubSettings TenantScrubbing",
    "spans": "TraceScrubber",
    "texts": "TextScrubber",
    "wiring": "ScrubRoom wire",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
