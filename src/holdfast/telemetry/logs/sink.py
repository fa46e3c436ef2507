"""Where log records go in: `append` acknowledges what the store has accepted, and may be called again when it refuses.

The way into the store is `storing`; who stands on it, `hooks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.kernel.clock import Clock, SystemClock
from holdfast.telemetry.ledger import NO_LEDGER
from holdfast.telemetry.logs.hooks import LogFeed, NoQuota, NoScrubber
from holdfast.telemetry.logs.settings import LogsSettings
from holdfast.telemetry.logs.storing import Appending, TenantStreams
from holdfast.telemetry.logs.storing.appending import Around
from holdfast.telemetry.logs.tables import STREAM
from holdfast.telemetry.metrics.storing import Expiry

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.logs.arrivals import LogArrival, LogsWritten
    from holdfast.telemetry.logs.hooks import Quota, Scrubber
    from holdfast.telemetry.logs.storing import KeepSeconds, StreamWatch
    from holdfast.telemetry.metrics.labels import Labels

_IDLE_SHARE: Final = 0.1  # forgetting makes every door ask for its streams anew, so it must be worth it
_IDLE_LEAST: Final = 1000


class LogSink:
    """Writes log records of every tenant; a `RecordSink`."""

    def __init__(  # noqa: PLR0913 -- keywords with defaults; most callers give two
        self,
        store: Store,
        *,
        clock: Clock | None = None,
        metrics: CollectorRegistry | None = None,
        settings: LogsSettings | None = None,
        scrubber: Scrubber | None = None,
        quota: Quota | None = None,
        keep_s: KeepSeconds | None = None,
        watches: Sequence[StreamWatch] = (),
        ledger: Notes = NO_LEDGER,
    ) -> None:
        """Prepare; nothing is written.

        Args:
            store: where records go.
            clock: time of arrival.
            metrics: the registry that the app exposes.
            settings: the section `[logs]`.
            scrubber: takes out what may not be kept.
            quota: limits who sends how much.
            keep_s: how long the records of a stream stay; what the store's retention says if not given.
            watches: are told of new streams.
            ledger: where what was stored is noted, and what was not.
        """
        self._store = store
        self._clock = clock or SystemClock()
        self._settings = settings or LogsSettings()
        self._scrubber = scrubber or NoScrubber()
        self._keep_s = keep_s or self._keep_by_tenant
        self.feed = LogFeed()
        from_event = self._settings.retention_counts == "event"
        self._appending = Appending(
            Around(
                store,
                self._clock,
                Expiry(self._clock, from_event=from_event),
                self._settings,
                self._scrubber,
                quota or NoQuota(),
                self.feed,
                watches,
                ledger,
            )
        )
        self._books: dict[TenantId, TenantStreams] = {}
        registry = metrics or CollectorRegistry()
        self._stored = Counter(
            "holdfast_logs_records_stored", "Log records that the store accepted.", registry=registry
        )
        self._bytes = Counter(
            "holdfast_logs_bytes_received", "Letters of bodies and metadata that arrived.", registry=registry
        )
        self._repeats = Counter(
            "holdfast_logs_records_repeated", "Log records that were stored already.", registry=registry
        )
        self._active = Gauge(
            "holdfast_logs_active_streams", "Streams that got a record lately.", ("tenant",), registry=registry
        )

    def _keep_by_tenant(self, tenant: TenantId, labels: Labels) -> int:
        del labels
        return self._store.retention.seconds(tenant, STREAM)

    def book(self, tenant: TenantId) -> TenantStreams:
        """Give the book of a tenant's streams."""
        found = self._books.get(tenant)
        if found is None:
            found = TenantStreams(tenant, self._settings.max_streams, self._scrubber, self._keep_s)
            self._books[tenant] = found
        return found

    @property
    def books(self) -> Mapping[TenantId, TenantStreams]:
        """The books of all tenants that this process writes for."""
        return self._books

    async def append(self, tenant: TenantId, arrival: LogArrival) -> LogsWritten:
        """Store an arrival; when this returns, the store has accepted all that was not refused."""
        book = self.book(tenant)
        written = await self._appending.append(book, arrival)
        self._stored.inc(written.records)
        self._bytes.inc(float(arrival.records.sizes.sum()))
        self._repeats.inc(written.repeats)
        self._active.labels(tenant).set(len(book))
        return written

    def forget_idle(self) -> None:
        """Give back the memory of streams that get no records any more, where they are many enough to be worth it."""
        before_s = int(self._clock.now().timestamp() - self._settings.forget_idle)
        for tenant, book in self._books.items():
            if book.forget_idle(before_s, max(_IDLE_LEAST, int(_IDLE_SHARE * len(book)))):
                self._active.labels(tenant).set(len(book))
