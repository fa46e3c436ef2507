"""Watches messages that go through a broker (NATS, Kafka, RabbitMQ, ...), whatever its client library.

One line where a message is sent, one where it is worked on. Names are those of OpenTelemetry's messaging conventions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from holdfast.instrument.labels import BoundedLabel, label_error
from holdfast.instrument.registries import PerRegistry, count_folded
from holdfast.instrument.tracing import client_span, continued, current_exemplar, outgoing_headers

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MOST_DESTINATIONS: Final = 200
MOST_ERRORS: Final = 50
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 60, 600)


class MessageMetrics:
    """Messages by system (`nats`, `kafka`, ...) and destination (subject, topic, queue)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_destination = ("system", "destination")
        self.destinations = BoundedLabel(MOST_DESTINATIONS, count_folded(registry, "messaging_destination"))
        self.error_types = BoundedLabel(MOST_ERRORS, count_folded(registry, "messaging_error"))
        self.sent = Counter("messaging_client_sent_messages", "Messages sent.", by_destination, registry=registry)
        self.consumed = Counter(
            "messaging_client_consumed_messages", "Messages taken, worked on or not.", by_destination, registry=registry
        )
        self.send_duration = Histogram(
            "messaging_client_operation_duration_seconds",
            "From sending a message to the broker's word that it has it.",
            by_destination,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.process_duration = Histogram(
            "messaging_process_duration_seconds",
            "Work on one message.",
            by_destination,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.processing = Gauge(
            "messaging_process_active",
            "Messages being worked on.",
            by_destination,
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.failures = Counter(
            "messaging_failures",
            "Messages that could not be sent or worked on, by the class of the error.",
            (*by_destination, "operation", "error"),
            registry=registry,
        )


_METRICS: Final = PerRegistry(MessageMetrics)


@contextmanager
def sending(
    system: str,
    destination: str,
    headers: MutableMapping[str, str] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> Iterator[None]:
    """Count and time what sends a message, such as `await stream.publish(subject, body, headers=headers)`, inside.

    It runs in a producer span; `headers`, if given, get the trace context and the correlation id.
    """
    metrics = _METRICS(registry)
    labels = (system, metrics.destinations.admit(destination))
    attributes = {"messaging.system": system, "messaging.destination.name": destination}
    with client_span(f"send {labels[1]}", attributes, SpanKind.PRODUCER):
        if headers is not None:
            headers.update(outgoing_headers())
        started_s = time.perf_counter()
        try:
            yield
        except BaseException as error:
            metrics.failures.labels(*labels, "send", metrics.error_types.admit(label_error(error))).inc()
            raise
        metrics.sent.labels(*labels).inc()
        metrics.send_duration.labels(*labels).observe(time.perf_counter() - started_s, current_exemplar())


@contextmanager
def processing(
    system: str,
    destination: str,
    headers: Mapping[str, str] | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> Iterator[None]:
    """Work on a message inside, in a consumer span that continues the trace and the correlation id of its headers."""
    metrics = _METRICS(registry)
    labels = (system, metrics.destinations.admit(destination))
    carrier = {name.lower(): value for name, value in (headers or {}).items()}
    metrics.consumed.labels(*labels).inc()
    with (
        metrics.processing.labels(*labels).track_inprogress(),
        continued(f"process {labels[1]}", carrier),
    ):
        started_s = time.perf_counter()
        try:
            yield
        except BaseException as error:
            metrics.failures.labels(*labels, "process", metrics.error_types.admit(label_error(error))).inc()
            raise
        finally:
            metrics.process_duration.labels(*labels).observe(time.perf_counter() - started_s, current_exemplar())
