"""The `http` kind: ask once and hold the answer against the expectations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.health.probes.attempts import now_s, observe, span
from holdfast.health.probes.contract import ProbeKind
from holdfast.health.probes.http.client import Call, fetch
from holdfast.health.probes.http.expectations import Check, compile_expectations, reads_body, run_checks
from holdfast.health.probes.http.spec import HttpSpec
from holdfast.health.probes.http.urls import parse_url
from holdfast.health.probes.network import expiry_of
from holdfast.kernel.clock import SystemClock

if TYPE_CHECKING:
    from holdfast.health.probes.attempts import Attempt
    from holdfast.health.probes.contract import Observation, ProbeContext
    from holdfast.health.probes.http.messages import Response

_CLOCK: Final = SystemClock()


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Makes one call and judges its answer."""

    call: Call
    checks: tuple[Check, ...]

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        response = await fetch(attempt, self.call)
        _note_facts(attempt, response)
        run_checks(attempt, response, self.checks)
        return f"{response.status_text} in {span(now_s() - attempt.started_s)}"


def _note_facts(attempt: Attempt, response: Response) -> None:
    facts = attempt.facts
    facts["status_code"] = response.status
    facts["http_version"] = response.version
    facts["body_bytes"] = response.size
    if response.peer is not None:
        facts["tls_version"] = response.peer.version() or ""
        until = expiry_of(response.peer)
        if until is not None:
            facts["certificate_days_left"] = round((until - _CLOCK.now()).total_seconds() / 86_400, 2)


def build(spec: HttpSpec) -> HttpProbe:
    """Compile a spec into a probe.

    Raises:
        InvalidError: a JSON path or a JSON Schema is malformed.
    """
    call = Call(
        url=parse_url(spec.url),
        method=spec.method,
        headers=tuple(spec.headers.items()),
        auth=spec.auth,
        body=spec.body,
        tls=spec.tls,
        family=spec.ip,
        http_version=spec.http_version,
        redirects=spec.redirects,
        max_body_bytes=spec.max_body,
        keeps_body=reads_body(spec.expect),
    )
    return HttpProbe(call.prepare(), compile_expectations(spec.expect))


KIND: Final = ProbeKind("http", HttpSpec, build)
