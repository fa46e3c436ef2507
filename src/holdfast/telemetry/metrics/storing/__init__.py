"""How samples get into the store: books of series, announcements, columns. Reading is `reading`'s work."""

from holdfast.telemetry.metrics.storing.announcements import ANNOUNCE_EVERY_MS, label_maps
from holdfast.telemetry.metrics.storing.appending import Appending
from holdfast.telemetry.metrics.storing.book import Admission, Book, Everybody, KeepSeconds, Tally
from holdfast.telemetry.metrics.storing.expiry import Expiry
from holdfast.telemetry.metrics.storing.feed import Announced, Feed, Stored

__all__ = [
    "ANNOUNCE_EVERY_MS",
    "Admission",
    "Announced",
    "Appending",
    "Book",
    "Everybody",
    "Expiry",
    "Feed",
    "KeepSeconds",
    "Stored",
    "Tally",
    "label_maps",
]
