"""Joins outgoing httpx requests to the trace and the correlation id of what caused them, and counts them.

Hooks do not hear of requests that got no response; the two counters' difference shows those.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import propagate
from prometheus_client import REGISTRY

from holdfast import journal
from holdfast.instrument.labels import label_method
from holdfast.instrument.red import client_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from prometheus_client import CollectorRegistry

STARTED: Final = "holdfast.started_s"


class Done:
    """An answer that async clients may await and sync clients may ignore."""

    def __await__(self) -> Generator[None, None, None]:
        """Be done at once."""
        yield from ()


DONE: Final = Done()


def httpx_hooks(registry: CollectorRegistry = REGISTRY) -> dict[str, list[Callable[[Any], Done]]]:
    """Make event hooks for an httpx client, async or not: `httpx.AsyncClient(event_hooks=httpx_hooks())`.

    They add W3C trace context and `X-Correlation-ID`, unless the request has its own, and count and time
    requests in `registry` by host, port and method.
    """
    metrics = client_metrics(registry)

    def describe(request: Any) -> tuple[str, str]:
        return metrics.peers.admit(request.url.netloc.decode("ascii")), label_method(request.method)

    def before(request: Any) -> Done:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        if journal.correlation_id():
            carrier["X-Correlation-ID"] = journal.correlation_id()
        for name, value in carrier.items():
            request.headers.setdefault(name, value)
        request.extensions[STARTED] = time.perf_counter()
        metrics.started.labels(*describe(request)).inc()
        return DONE

    def after(response: Any) -> Done:
        labels = describe(response.request)
        metrics.requests.labels(*labels, str(response.status_code)).inc()
        metrics.duration.labels(*labels).observe(time.perf_counter() - response.request.extensions[STARTED])
        return DONE

    return {"request": [before], "response": [after]}
