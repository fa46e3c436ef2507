"""Around every request of a service: its faults, its outcome, one line in the log, and the fence for what escapes.

Metrics, spans and correlation ids are `holdfast.instrument`'s, one layer further out.
"""

import time
from typing import Any, Protocol

from opentelemetry import trace
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast import journal
from shop.chassis.faults import Faults
from shop.chassis.outcomes import OutcomeWindow
from shop.chassis.problems import answer_problem

_QUIET_PATHS = ("/livez", "/metrics", "/admin/")
_PROBE = "/readyz"
_log = journal.get_logger()


class Suffering(Protocol):
    """What a request meets in its service."""

    faults: Faults
    outcomes: OutcomeWindow

    async def strike(self) -> None:
        """Suffer what is broken on command."""

    def run_release(self) -> None:
        """Run the code that is new in a bad release."""


class RequestMiddleware:
    """Surrounds the requests that are a service's work; those about the service itself pass."""

    def __init__(self, app: ASGIApp, service: Suffering, *, strikes_requests: bool) -> None:
        self._app = app
        self._service = service
        self._strikes = strikes_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_QUIET_PATHS):
            await self._app(scope, receive, send)
        elif scope["path"] == _PROBE:
            # A probe waits as long as any request does, but its answer is its own.
            if self._strikes:
                await self._service.faults.delay()
            await self._app(scope, receive, send)
        else:
            await self._observe(scope, receive, send)

    async def _observe(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._suffer()
            await self._app(scope, receive, watch)
        except Exception as error:
            _log.exception("request_failed", method=scope["method"], path=scope["path"])
            trace.get_current_span().record_exception(error)
            if status:
                raise  # the answer has begun: all that is left is to break it off
            await answer_problem(Request(scope), error)(scope, receive, watch)
        finally:
            self._service.outcomes.record(is_failure=status == 500)
            _write_line(scope, status, time.perf_counter() - began)

    async def _suffer(self) -> None:
        if self._strikes:
            await self._service.strike()
        else:
            self._service.run_release()


def _write_line(scope: Scope, status: int, duration_s: float) -> None:
    facts: dict[str, Any] = {"method": scope["method"], "path": scope["path"], "status": status}
    write = _log.warning if status >= 500 else _log.info
    write("request", **facts, duration_ms=round(duration_s * 1000, 1))
