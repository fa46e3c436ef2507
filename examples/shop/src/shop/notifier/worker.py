"""Works off the inbox: sends what can be sent, tries again what failed, buries what never will.

Waiting doubles with each attempt; after `ATTEMPTS` an event is a dead letter.
"""

import asyncio

from opentelemetry import trace
from prometheus_client import Counter, Gauge

from holdfast import journal
from holdfast.resilience import Backoff, DeadlineExceeded, timeout
from shop.chassis import Degraded, InjectedError, OutcomeWindow, continued_span, now_ms
from shop.notifier.events import OrderEvent, UnreadableEvent, read_event
from shop.notifier.inbox import Letter, bury, claim_due, count_letters, finish, postpone
from shop.notifier.mailer import Mailer, write_message
from shop.storage import Database

ATTEMPTS = 5
BACKOFF = Backoff(base_s=1.0, cap_s=60.0, jitter="equal")
BATCH = 10
SEND_TIMEOUT_S = 2.0
FRESH_DEATH_MS = 60_000
_deliveries = Counter("shop_deliveries", "Events by outcome: sent, postponed, dead", ["outcome"])
_pending = Gauge("shop_inbox_pending", "Events that wait in the inbox")
_log = journal.get_logger()


class Worker:
    """Handles claimed events side by side, each in its own transaction."""

    def __init__(self, database: Database, mailer: Mailer) -> None:
        self._database = database
        self._mailer = mailer
        self._outcomes = OutcomeWindow("messages failed")

    async def work(self) -> bool:
        """Handle the events that are due; return whether there may be more."""
        letters = await self._database.write(claim_due, BATCH)
        await asyncio.gather(*(self._handle(letter) for letter in letters))
        _pending.set(await self._database.read(count_letters, "pending"))
        return len(letters) == BATCH

    async def probe_mailer(self) -> None:
        """Raise when messages failed lately."""
        await self._outcomes.probe()

    async def probe_dead_letters(self) -> None:
        """Raise `Degraded` when an event died within the last minute."""
        died = await self._database.read(count_letters, "dead", died_after_ms=now_ms() - FRESH_DEATH_MS)
        if died:
            raise Degraded(f"{died} events became dead letters within a minute: see /dead-letters")

    async def _handle(self, letter: Letter) -> None:
        try:
            event = read_event(letter.body)
        except UnreadableEvent as error:
            await self._bury(letter, str(error))
            return
        carrier = {"traceparent": event.traceparent} if event.traceparent else {}
        correlation_id = event.correlationid or event.id
        with (
            continued_span(f"process {event.type}", carrier, trace.SpanKind.CONSUMER, correlation_id),
            journal.bind(event_id=event.id),
        ):
            await self._deliver(letter, event)

    async def _deliver(self, letter: Letter, event: OrderEvent) -> None:
        message = write_message(event)
        try:
            await timeout(SEND_TIMEOUT_S).call(self._mailer.send, message)
        except (InjectedError, ConnectionError, DeadlineExceeded) as error:
            self._outcomes.record(is_failure=True)
            await self._try_later(letter, f"{type(error).__name__}: {error}")
            return
        self._outcomes.record(is_failure=False)
        await self._database.write(finish, message)
        _deliveries.labels("sent").inc()
        _log.info("message_sent", customer_id=message.customer_id, subject=message.subject)

    async def _try_later(self, letter: Letter, error: str) -> None:
        if letter.attempts >= ATTEMPTS:
            await self._bury(letter, error)
            return
        pause_s = BACKOFF.wait_s(letter.attempts)
        await self._database.write(postpone, letter, error, pause_s)
        _deliveries.labels("postponed").inc()
        _log.warning("message_postponed", attempt=letter.attempts, pause_s=round(pause_s, 2), error=error)

    async def _bury(self, letter: Letter, error: str) -> None:
        await self._database.write(bury, letter, error)
        _deliveries.labels("dead").inc()
        _log.error("dead_letter", event_id=letter.event_id, attempts=letter.attempts, error=error)
