"""How long the answers of a room's API took and what failed, by question: the routes' own ids name them."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Histogram

from holdfast.kernel.errors import HoldfastError


def measured(room: str, registry: CollectorRegistry | None = None) -> type[APIRoute]:
    """Give the class of a router's routes that measures them as `holdfast_<room>_questions_...`."""
    registry = registry or CollectorRegistry()
    seconds = Histogram(
        f"holdfast_{room}_questions_seconds",
        "How long answers took, by question.",
        ("question",),
        registry=registry,
    )
    failed = Counter(
        f"holdfast_{room}_questions_failed_total",
        "Questions that got an error for an answer, by question and error code.",
        ("question", "code"),
        registry=registry,
    )

    class MeasuredRoute(APIRoute):
        """Measures what it answers."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """Wrap the handler."""
            answer, question = super().get_route_handler(), self.operation_id or self.name

            async def ask(request: Request) -> Response:
                started_s = time.perf_counter()
                try:
                    return await answer(request)
                except HoldfastError as error:
                    failed.labels(question, error.code).inc()
                    raise
                finally:
                    seconds.labels(question).observe(time.perf_counter() - started_s)

            return ask

    return MeasuredRoute
