"""Takes queries: parses each text once, lets tenants in by turns, and holds each query to its limits.

A tenant has its own places and its own line, so that one who asks too much waits for himself. A query ends when its
caller goes: cancel the awaiting task.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import TYPE_CHECKING, Final

from holdfast import journal
from holdfast.kernel.errors import BusyError, HoldfastError, LimitError, TimedOutError
from holdfast.kernel.ids import TenantId
from holdfast.resilience import BulkheadFull, bulkhead, per_key, timeout
from holdfast.telemetry.metrics.promql import Answer, Engine, Expr, QueryLimits, parse

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.queries.metrics import QueryMetrics
    from holdfast.telemetry.metrics.queries.settings import QuerySettings

_PARSED: Final = 2000  # texts whose trees are remembered
_LONGEST_TEXT: Final = 64 * 1024

log = journal.get_logger("holdfast.queries")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query: at `start_ms` if `step_ms` is None, else from `start_ms` to `end_ms`.

    `timeout_ms` and `lookback_ms` may shorten the settings' ones; 0 for those. `origin` says who asks, for the log.
    """

    tenant: TenantId
    text: str
    start_ms: int
    end_ms: int = 0
    step_ms: int | None = None
    timeout_ms: int = 0
    lookback_ms: int = 0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ActiveQuery:
    """A query that is being answered, or waits; they are numbered since the start."""

    number: int
    asked: Asked
    since: float


class QueryDesk:
    """Answers the queries of every tenant."""

    def __init__(self, engine: Engine, settings: QuerySettings, clock: Clock, metrics: QueryMetrics) -> None:
        self.settings = settings
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._active: dict[int, ActiveQuery] = {}
        self._numbers = count(1)
        self._all = bulkhead(settings.concurrency, queue=1_000_000, name="queries")  # the tenants' bounds hold
        self._turns = per_key(
            lambda tenant: bulkhead(settings.tenant_concurrency, queue=settings.queue, name=f"queries:{tenant}"),
            key=lambda tenant: tenant,
            max_keys=10_000,
            name="queries",
        )
        self._parse = lru_cache(_PARSED)(parse)
        self._limits = QueryLimits(
            max_series=settings.max_series,
            max_samples=settings.max_samples,
            max_steps=settings.max_steps,
            max_bytes=settings.max_memory,
        )

    @property
    def active(self) -> tuple[ActiveQuery, ...]:
        """Give the queries that run or wait, the oldest first."""
        return tuple(self._active.values())

    def parse(self, text: str) -> Expr:
        """Give the syntax tree; raises QuerySyntaxError, or LimitError for a text of over 64 KiB."""
        if len(text) > _LONGEST_TEXT:
            raise LimitError(f"the query has {len(text)} characters", hint=f"at most {_LONGEST_TEXT} are read")
        return self._parse(text)

    async def answer(self, asked: Asked) -> Answer:
        """Answer a query.

        Raises:
            QuerySyntaxError: it is no PromQL.
            QueryExecutionError: it cannot be answered.
            LimitError: it costs more than allowed; the message names the limit and the selector.
            BusyError: too many of this tenant's queries wait.
            TimedOutError: it took too long.
            UnavailableError: the store does not answer.
        """
        kind = "instant" if asked.step_ms is None else "range"
        started = self._clock.monotonic()
        try:
            expr = self.parse(asked.text)
            answer = await self._listed(asked, started, expr)
        except HoldfastError as error:
            self._metrics.failed.labels(error.code).inc()
            raise
        finally:
            took_s = self._clock.monotonic() - started
            self._metrics.duration.labels(kind).observe(took_s)
        self._metrics.samples.inc(answer.stats.samples)
        if took_s > self.settings.slow:
            stats = answer.stats
            log.warning("query.slow", query=asked.text[:1000], tenant=asked.tenant, took_s=round(took_s, 3),
                        series=stats.series, samples=stats.samples, origin=asked.origin)  # fmt: skip
        return answer

    async def _listed(self, asked: Asked, started: float, expr: Expr) -> Answer:
        query = ActiveQuery(next(self._numbers), asked, started)
        self._active[query.number] = query
        self._metrics.waiting.inc()
        try:
            return await self._within(asked, partial(self._evaluate, asked, expr))
        finally:
            self._metrics.waiting.dec()
            del self._active[query.number]

    async def _within(self, asked: Asked, evaluate: Callable[[], Awaitable[Answer]]) -> Answer:
        longest_s = self.settings.timeout
        if asked.timeout_ms > 0:
            longest_s = min(longest_s, asked.timeout_ms / 1000)
        try:
            async with timeout(longest_s, name="query"), self._turns.of(asked.tenant), self._all:
                return await evaluate()
        except BulkheadFull as full:
            raise BusyError(
                f"{self.settings.queue} queries of this tenant wait already",
                hint="ask less at once, or raise queries.queue",
            ) from full
        except TimeoutError:
            raise TimedOutError(
                f"query timed out in query execution after {longest_s:g} s",
                hint="ask for less time or fewer series, or raise queries.timeout",
            ) from None

    async def _evaluate(self, asked: Asked, expr: Expr) -> Answer:
        lookback_ms = asked.lookback_ms or int(self.settings.lookback * 1000)
        self._metrics.running.inc()
        self._metrics.waiting.dec()
        try:
            if asked.step_ms is None:
                return await self._engine.instant(
                    asked.tenant, expr, asked.start_ms, lookback_ms=lookback_ms, limits=self._limits, text=asked.text
                )
            return await self._engine.range(
                asked.tenant,
                expr,
                asked.start_ms,
                asked.end_ms,
                asked.step_ms,
                lookback_ms=lookback_ms,
                limits=self._limits,
                text=asked.text,
            )
        finally:
            self._metrics.running.dec()
            self._metrics.waiting.inc()
