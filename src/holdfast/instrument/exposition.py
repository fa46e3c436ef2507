"""Shows the process's metrics to Prometheus, in the text format or OpenMetrics, as the scraper asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, make_asgi_app

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class MetricsEndpoint:
    """An ASGI app; an object, not a function, so that frameworks do not take it for one of their handlers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answer = make_asgi_app(registry)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await self._answer(scope, receive, send)


def metrics_endpoint(registry: CollectorRegistry = REGISTRY) -> MetricsEndpoint:
    """Make an ASGI app that answers every request with the metrics of `registry`; put it at `/metrics`."""
    return MetricsEndpoint(registry)
