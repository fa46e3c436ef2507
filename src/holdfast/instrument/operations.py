"""The metrics of calls to databases and caches, whatever the library: duration, errors, and the pool's use.

Names are those of OpenTelemetry's database conventions, as Prometheus translates them, but `_count` is left out: a
gauge that ends so would read like a part of a histogram, and Prometheus' linter refuses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from holdfast.instrument.labels import BoundedLabel, label_error
from holdfast.instrument.looks import Looks
from holdfast.instrument.registries import PerRegistry, count_folded
from holdfast.instrument.tracing import client_span, current_exemplar

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

MOST_OPERATIONS: Final = 200
MOST_ERRORS: Final = 50
MOST_POOLS: Final = 100
# https://opentelemetry.io/docs/specs/semconv/database/database-metrics/ advises these bounds, in seconds.
BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)


class OperationMetrics:
    """Calls by system (`postgresql`, `redis`), database (a name that you choose) and operation."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_operation = ("system", "database", "operation")
        self.databases = BoundedLabel(MOST_POOLS, count_folded(registry, "database"))
        self.operations = BoundedLabel(MOST_OPERATIONS, count_folded(registry, "db_operation"))
        self.error_types = BoundedLabel(MOST_ERRORS, count_folded(registry, "db_error"))
        self.duration = Histogram(
            "db_client_operation_duration_seconds",
            "From sending a statement or command to its answer.",
            by_operation,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.errors = Counter(
            "db_client_operation_errors",
            "Statements and commands that failed, by the class of the error.",
            (*by_operation, "error"),
            registry=registry,
        )
        self.wait = Histogram(
            "db_client_connection_wait_time_seconds",
            "Until a pool gave a connection, opening one included.",
            ("system", "database"),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.pending = Gauge(
            "db_client_connection_pending_requests",
            "Callers that wait for a connection now.",
            ("system", "database"),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.timeouts = Counter(
            "db_client_connection_timeouts",
            "Callers that got no connection in time.",
            ("system", "database"),
            registry=registry,
        )

    @contextmanager
    def operation(self, system: str, database: str, operation: str) -> Iterator[None]:
        """Time a call, in a client span."""
        labels = (system, database, self.operations.admit(operation))
        attributes = {"db.system.name": system, "db.namespace": database, "db.operation.name": labels[2]}
        with client_span(f"{labels[2]} {database}", attributes):
            started_s = time.perf_counter()
            try:
                yield
            except BaseException as error:
                self.fail(labels, error)
                raise
            finally:
                self.duration.labels(*labels).observe(time.perf_counter() - started_s, current_exemplar())

    def fail(self, labels: tuple[str, str, str], error: BaseException) -> None:
        """Count a call that failed."""
        self.errors.labels(*labels, self.error_types.admit(label_error(error))).inc()

    @contextmanager
    def connection(self, system: str, database: str, timeout_types: tuple[type[BaseException], ...]) -> Iterator[None]:
        """Time the wait for a connection; an error of `timeout_types` means that none came in time."""
        started_s = time.perf_counter()
        with self.pending.labels(system, database).track_inprogress():
            try:
                yield
            except timeout_types:
                self.timeouts.labels(system, database).inc()
                raise
            finally:
                self.wait.labels(system, database).observe(time.perf_counter() - started_s, current_exemplar())


class PoolUse(NamedTuple):
    """How full a pool is: connections in use, idle, the most that may be (None: no limit), those beyond its size."""

    used: int
    idle: int
    most: int | None = None
    overflow: int = 0


class PoolGauges(Collector):
    """Asks the pools when somebody looks; a pool that is gone takes its series with it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pools: Looks[tuple[str, str]] = Looks()
        registry.register(self)

    def add(
        self, system: str, database: str, owner: object, read: Callable[[Any], PoolUse | None]
    ) -> Callable[[], None]:
        """Show the pool of `owner`, which is not kept alive; `read` looks at it. Give the function that ends it."""
        return self._pools.add((system, database), owner, read)

    def describe(self) -> Iterable[Metric]:
        """Give the families, without samples."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Look at every pool."""
        count, most, overflow = self._families()
        for key, (used, idle, limit, beyond) in self._pools.figures():
            count.add_metric((*key, "used"), used or 0)
            count.add_metric((*key, "idle"), idle or 0)
            overflow.add_metric(key, beyond or 0)
            if limit is not None:
                most.add_metric(key, limit)
        return count, most, overflow

    @staticmethod
    def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        by_pool = ["system", "database"]
        return (
            GaugeMetricFamily("db_client_connections", "Connections of a pool.", labels=[*by_pool, "state"]),
            GaugeMetricFamily("db_client_connection_max", "The most connections that a pool may have.", labels=by_pool),
            GaugeMetricFamily(
                "db_client_connection_overflow", "Connections beyond a pool's size, open now.", labels=by_pool
            ),
        )


operation_metrics: Final = PerRegistry(OperationMetrics)
"""Gives the registry's set for calls to databases."""
pool_gauges: Final = PerRegistry(PoolGauges)
"""Gives the registry's set for pools."""
