"""From messages to records: a bounded queue, traces joined, and batches that are stored again until taken."""

from __future__ import annotations

from collections import Counter as Counts
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Counter

from holdfast import journal
from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import TenantId
from holdfast.resilience import Backoff, Pauses
from holdfast.telemetry.ledger import NO_LEDGER, Reason, Signal, reason_of
from holdfast.telemetry.logs.arrivals import REFUSED
from holdfast.telemetry.logs.intake import (
    SERVICE_NAME,
    UNKNOWN_SERVICE,
    KnownStream,
    KnownStreams,
    LogMeters,
    deliver,
)
from holdfast.telemetry.logs.recognition import Joiner, recognise
from holdfast.telemetry.logs.syslog.messages import Message, read_message
from holdfast.telemetry.logs.syslog.waiting import Waiting
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.otlp import LabelStyle, label_name

if TYPE_CHECKING:
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.logs.arrivals import RecordSink, StreamBook
    from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory
    from holdfast.telemetry.logs.syslog.settings import SyslogSettings

DOOR: Final = "syslog"
TICK_S: Final = 0.05
JOINED_WITHIN_S: Final = 1.0
_MOST_HELD: Final = 1000
_BATCH: Final = 5000
_MOST_READY: Final = 8_000_000  # letters that are read ahead of the store
_SLICE: Final = 500
_KNOWN: Final = 10_000
_STYLE: Final = LabelStyle()
_AGAIN: Final = Backoff(base_s=0.2, cap_s=10.0, jitter="equal")
_REASONS: Final = {
    "framing": Reason.CUT_OFF,
    "refused": Reason.LOST,
    "sender_connections": Reason.CONNECTIONS,
    "too_long": Reason.LINE_TOO_LONG,
    "unsent": Reason.LOST,
}
_log = journal.get_logger("holdfast.syslog")


@dataclass(slots=True)
class _Held:
    first: Message
    at_ns: int
    until_s: float
    peer: str
    joiner: Joiner = field(default_factory=Joiner)


class SyslogTaking:
    """Takes messages of every transport."""

    def __init__(
        self,
        sink: RecordSink,
        settings: SyslogSettings,
        *,
        meters: LogMeters | None = None,
        clock: Clock | None = None,
        registry: CollectorRegistry | None = None,
        ledger: Notes = NO_LEDGER,
    ) -> None:
        self._sink = sink
        self._tenant = TenantId(settings.tenant)
        self._zone = ZoneInfo(settings.time_zone)
        self._clock = clock or SystemClock()
        self._queue = Waiting(settings.queue, settings.queue_size)
        self._known = KnownStreams(_KNOWN)
        self._meters = meters or LogMeters()
        self._ledger = ledger
        self._held: dict[tuple[str, str, str], _Held] = {}
        self._ready: deque[tuple[Message, int]] = deque()
        self._ready_letters = 0
        self._number = 0
        self.dropped = Counter(
            "holdfast_syslog_dropped_total",
            "Messages of syslog that were lost before they were read, by reason.",
            ("reason",),
            registry=registry or CollectorRegistry(),
        )

    def offer(self, data: bytes, peer: str) -> None:
        """Take a datagram; lost and counted when too many wait."""
        if not self._queue.offer(data, peer):
            self.lose("queue_full", size=len(data))

    def lose(self, reason: str, records: int = 1, *, service: str = "", size: int = 0) -> None:
        """Count what is lost by reason, as far as it is known: a connection that is not taken holds no records yet."""
        self.dropped.labels(reason).inc(records or 1)
        why = _REASONS.get(reason) or reason_of(reason)
        self._ledger.note(self._tenant, Signal.LOGS, service, why, records=records, size=size)

    async def put(self, data: bytes, peer: str) -> None:
        """Take a message of a connection, which waits until there is room."""
        await self._queue.put(data, peer)

    async def run(self) -> None:
        """Store what comes, until cancelled; then once more what waits."""
        pauses = Pauses(_AGAIN)
        try:
            while True:
                self._sort()
                if not self._ready:
                    await self._clock.sleep(TICK_S)
                elif await self._store_batch():
                    pauses = Pauses(_AGAIN)
                else:
                    await self._clock.sleep(pauses.next_s())
        finally:
            await self.flush()
            self._lose_all("unsent", [message for message, _ in self._ready])
            self._ready.clear()

    async def flush(self) -> None:
        """Store all that came, without waiting for what may go on."""
        self._sort()
        for key in list(self._held):
            self._release(key)
        while self._ready and await self._store_batch():
            pass

    def _lose_all(self, reason: str, messages: Sequence[Message]) -> None:
        for service, count in Counts(_service_of(message) for message in messages).items():
            self.lose(reason, count, service=service)

    def _sort(self) -> None:
        """Read what waits; nothing more while the store takes nothing, so that the queue fills and senders wait."""
        now_s = self._clock.monotonic()
        while self._queue and len(self._ready) < _BATCH and self._ready_letters < _MOST_READY:
            data, peer = self._queue.take()
            self._number += 1
            at_ns = int(self._clock.now().timestamp() * 10**6) * 1000
            self._hold(read_message(data, at_ns, self._zone), peer, at_ns + self._number % 1000, now_s)
        for key in [key for key, held in self._held.items() if held.until_s <= now_s]:
            self._release(key)

    def _hold(self, message: Message, peer: str, at_ns: int, now_s: float) -> None:
        host = message.host or peer
        key = (host, message.app, dict(message.pairs).get("process_pid", ""))
        if not message.level:  # a bare line: it goes on where its peer was
            key = next((key for key in reversed(self._held) if self._held[key].peer == peer), key)
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= _MOST_HELD:
                self._release(next(iter(self._held)))
            held = self._held[key] = _Held(message._replace(host=host), at_ns, now_s + JOINED_WITHIN_S, peer)
        whole = held.joiner.add(message.body)
        if whole is not None:
            self._make_ready(held, whole)
            said = message._replace(host=host) if message.level else held.first
            held.first, held.at_ns = said._replace(ts_ns=message.ts_ns), at_ns
        held.until_s = now_s + JOINED_WITHIN_S

    def _release(self, key: tuple[str, str, str]) -> None:
        held = self._held.pop(key)
        if (whole := held.joiner.flush()) is not None:
            self._make_ready(held, whole)

    def _make_ready(self, held: _Held, whole: str) -> None:
        self._ready.append((held.first._replace(body=whole), held.at_ns))
        self._ready_letters += len(whole)

    async def _store_batch(self) -> bool:
        batch = [self._ready[place] for place in range(min(len(self._ready), _BATCH))]

        def walk(book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> Iterator[None]:
            for place, (message, at_ns) in enumerate(batch, 1):
                _add(message, at_ns, book, memory, columns)
                if place % _SLICE == 0:
                    yield
            yield

        try:
            await deliver(self._tenant, walk, sink=self._sink, known=self._known, door=DOOR, meters=self._meters)
        except HoldfastError as error:
            if error.retry.possible:
                _log.warning("syslog.store_refuses", error=str(error), waiting=len(batch))
                return False
            _log.error("syslog.batch_lost", error=str(error), messages=len(batch))
            self._lose_all("refused", [message for message, _ in batch])
        for _ in batch:
            self._ready_letters -= len(self._ready.popleft()[0].body)
        return True


def _service_of(message: Message) -> str:
    return message.app or recognise(message.body).service or UNKNOWN_SERVICE


def _add(message: Message, at_ns: int, book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> None:
    found = recognise(message.body)
    service = message.app or found.service or UNKNOWN_SERVICE
    known = memory.streams.get(service)
    if known is None:
        known = KnownStream(book.ref(labels_of({SERVICE_NAME: service}), origin=f"syslog:{service}"))
        if known.ref > REFUSED:
            memory.streams[service] = known
    pairs = [pair for pair in found.pairs() if pair[0] != "detected_level" or not message.level]
    if message.level:
        pairs.append(("detected_level", message.level))
    pairs += [(label_name(name, _STYLE) if "." in name else name, value) for name, value in message.pairs]
    pairs.append(("host_name", message.host))
    ts_ns = message.ts_ns if message.ts_ns is not None else found.ts_ns
    columns.add(known.ref, at_ns if ts_ns is None else _apart(ts_ns, at_ns), message.body, pairs)


def _apart(ts_ns: int, at_ns: int) -> int:
    """Keep equal messages of one second apart: syslog never sends one again, so they are no repeats."""
    return ts_ns + at_ns % 10**6 if ts_ns % 10**6 == 0 else ts_ns
