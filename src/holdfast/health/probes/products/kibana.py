"""The `kibana` kind: `GET /api/status`, in the shape of version 8 (`level`) and of version 7 (`state`)."""

from dataclasses import dataclass
from typing import Any, Final

from holdfast.health.probes.attempts import Attempt, fact, listed, observe, one_line, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.http import Call
from holdfast.health.probes.products.access import HttpAccess, call_of, fetch_ok
from holdfast.health.probes.products.documents import need, pick
from holdfast.health.verdict import Verdict

_LEVELS: Final = {
    "available": Verdict.UP,
    "degraded": Verdict.DEGRADED,
    "unavailable": Verdict.DOWN,
    "critical": Verdict.DOWN,
    "green": Verdict.UP,
    "yellow": Verdict.DEGRADED,
    "red": Verdict.DOWN,
}


@dataclass(frozen=True, slots=True)
class KibanaSpec(HttpAccess):
    """A Kibana server."""


@dataclass(frozen=True, slots=True)
class KibanaProbe:
    """Reads Kibana's status."""

    call: Call

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        document = (await fetch_ok(attempt, self.call, 503)).json  # 503 comes with the reasons in its body
        overall = need(dict, document, "status", "overall")
        level = overall.get("level") or overall.get("state")
        verdict = _LEVELS.get(level) if isinstance(level, str) else None
        version = pick(document, "version", "number")
        if isinstance(version, str):
            attempt.facts["version"] = fact(version)
        attempt.facts["level"] = fact(level)
        if verdict is None:
            attempt.down(f"expected Kibana to be available, found {quote(str(level))}")
        elif verdict is not Verdict.UP:
            attempt.note(verdict, f"expected Kibana to be available, found {level}{_reasons(document, overall)}")
        return f"Kibana is {level}"


def _reasons(document: Any, overall: dict[str, Any]) -> str:
    parts = {
        name: part
        for group in ("core", "plugins")
        for name, part in (pick(document, "status", group) or {}).items()
        if isinstance(part, dict)
    }
    ailing = [name for name, part in parts.items() if _LEVELS.get(str(part.get("level"))) is not Verdict.UP]
    summary = overall.get("summary") or overall.get("title")
    said = f": {one_line(summary, 160)}" if isinstance(summary, str) else ""
    return f"{said} ({listed(sorted(ailing))})" if ailing else said


def build(spec: KibanaSpec) -> KibanaProbe:
    """Make the probe of a spec."""
    return KibanaProbe(call_of(spec, "api/status"))


KIND: Final = ProbeKind("kibana", KibanaSpec, build)
