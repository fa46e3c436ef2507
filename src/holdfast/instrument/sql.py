"""Watches an engine of SQLAlchemy: statements by operation, errors, and its pool (in use, idle, overflow, waits).

Statements themselves never become labels or leave the process; only their first word does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY

from holdfast.instrument.labels import OTHER
from holdfast.instrument.operations import OperationMetrics, PoolUse, operation_metrics, pool_gauges
from holdfast.instrument.registries import watch_once
from holdfast.instrument.tracing import TRACER_NAME, exemplar_of, mark_failed
from holdfast.instrument.wrapping import wrap_method

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_WORDS: Final = """
    SELECT INSERT UPDATE DELETE MERGE REPLACE WITH VALUES CREATE ALTER DROP TRUNCATE BEGIN COMMIT ROLLBACK SAVEPOINT
    RELEASE SET SHOW EXPLAIN ANALYZE VACUUM REINDEX PRAGMA CALL EXECUTE COPY LOCK LISTEN UNLISTEN NOTIFY GRANT REVOKE
"""
OPERATIONS: Final = frozenset(_WORDS.split())
_LEAD: Final = re.compile(r"(?>\s+|--[^\n]*\n|/\*.*?\*/|\()*+(\w+)", re.DOTALL)  # never goes back: that took for ever
_STARTED: Final = "holdfast_instrument"


def name_operation(statement: str) -> str:
    """Give the first word of a statement in upper case, comments passed over; "other" for what SQL does not know."""
    found = _LEAD.match(statement[:2000])
    word = found[1].upper() if found else ""
    return word if word in OPERATIONS else OTHER


def watch_sqlalchemy(engine: Any, registry: CollectorRegistry = REGISTRY, *, name: str = "") -> Callable[[], None]:
    """Watch an `Engine` or `AsyncEngine` from now on: `watch_sqlalchemy(engine)`.

    Args:
        engine: what to watch; a new pool, after `dispose`, is watched too.
        registry: where it is counted.
        name: the label `database`; if empty, the database's name in the engine's URL. Engines of one name are added up.

    Returns:
        A function that ends it.
    """
    engine = getattr(engine, "sync_engine", engine)
    return watch_once(engine, registry, lambda: _watch_engine(engine, registry, name))


def _watch_engine(engine: Any, registry: CollectorRegistry, name: str) -> Callable[[], None]:
    from sqlalchemy import event, exc  # noqa: PLC0415 -- loaded only where an engine of it is at hand

    metrics = operation_metrics(registry)
    label = metrics.databases.admit(name or str(engine.url.database or "memory").rpartition("/")[2])
    system = SYSTEMS.get(engine.dialect.name, engine.dialect.name)
    watch = EngineWatch(metrics, registry, system, label, exc.TimeoutError)
    heard = (
        (engine, "before_cursor_execute", watch.before),
        (engine, "after_cursor_execute", watch.after),
        (engine, "handle_error", watch.fail),
        (engine, "engine_disposed", watch.guard_pool),
    )
    for target, what, listener in heard:
        event.listen(target, what, listener)
    watch.guard_pool(engine)
    owner = getattr(engine, "_proxied", engine)  # one with other options shares the pool of the first
    hide_pool = pool_gauges(registry).add(watch.system, label, owner, read_pool)

    def stop() -> None:
        for target, what, listener in heard:
            event.remove(target, what, listener)
        watch.leave_pool()
        hide_pool()

    return stop


SYSTEMS: Final = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}  # the words of OpenTelemetry's registry


class EngineWatch:
    """Listens to one engine."""

    def __init__(
        self,
        metrics: OperationMetrics,
        registry: CollectorRegistry,
        system: str,
        database: str,
        timed_out: type[Exception],
    ) -> None:
        self.system = system
        self.leave_pool: Callable[[], None] = lambda: None
        self._registry = registry
        self._metrics = metrics
        self._database = database
        self._timed_out = timed_out

    def before(self, _conn: Any, _cursor: Any, statement: str, _parameters: Any, ctx: Any, _many: bool) -> None:  # noqa: FBT001 -- SQLAlchemy's signature
        """Note when a statement begins."""
        started = vars(ctx).setdefault(_STARTED, {})  # by their metrics: other registries may watch the engine, too
        if self._metrics in started:  # an engine with other options is heard by those of the first
            return
        operation = name_operation(statement)
        span = trace.get_tracer(TRACER_NAME).start_span(
            f"{operation} {self._database}",
            kind=SpanKind.CLIENT,
            attributes={
                "db.system.name": self.system,
                "db.namespace": self._database,
                "db.operation.name": operation,
            },
        )
        started[self._metrics] = (time.perf_counter(), operation, span)

    def after(self, _conn: Any, _cursor: Any, _statement: str, _parameters: Any, ctx: Any, _many: bool) -> None:  # noqa: FBT001 -- same
        """Count a statement that is done."""
        started = vars(ctx).get(_STARTED, {}).pop(self._metrics, None)
        if started is not None:
            self._observe(started)

    def fail(self, told: Any) -> None:
        """Count a statement that failed; errors of the connection itself have none."""
        ctx = told.execution_context
        started = vars(ctx).get(_STARTED, {}).pop(self._metrics, None) if ctx is not None else None
        if started is None:
            return
        error = told.sqlalchemy_exception or told.original_exception
        mark_failed(started[2], type(error).__name__)
        self._metrics.fail((self.system, self._database, started[1]), error)
        self._observe(started)

    def guard_pool(self, engine: Any) -> None:
        """Time how long callers wait for a connection of the engine's pool, which may be a new one."""
        pool = engine.pool

        def watched(connect: Callable[[], Any]) -> Callable[[], Any]:
            def timed() -> Any:
                with self._metrics.connection(self.system, self._database, (self._timed_out,)):
                    return connect()

            return timed

        self.leave_pool = watch_once(pool, self._registry, lambda: wrap_method(pool, "connect", watched))

    def _observe(self, started: tuple[float, str, Any]) -> None:
        started_s, operation, span = started
        duration = self._metrics.duration.labels(self.system, self._database, operation)
        duration.observe(time.perf_counter() - started_s, exemplar_of(span))
        span.end()


def read_pool(engine: Any) -> PoolUse | None:
    """Look at an engine's pool; None for one that does not pool."""
    pool = engine.pool
    used, idle, size = (getattr(pool, name, None) for name in ("checkedout", "checkedin", "size"))
    if used is None or idle is None or size is None:
        return None
    most_beyond = getattr(pool, "_max_overflow", 0)
    beyond = pool.overflow() if hasattr(pool, "overflow") else 0
    return PoolUse(used(), idle(), None if most_beyond == -1 else size() + most_beyond, max(0, beyond))
