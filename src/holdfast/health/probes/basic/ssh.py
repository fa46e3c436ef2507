"""The `ssh` kind: exchange identifications (RFC 4253, 4.2) and leave before keys are exchanged."""

import re
from dataclasses import dataclass, field
from typing import ClassVar, Final

from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt, fact, now_s, observe, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.limits import DurationLimits, Latency, judge_duration
from holdfast.health.probes.network import Endpoint, Family, Port, open_wire

_MAX_LINES_BEFORE: Final = 100
_IDENTIFICATION: Final = re.compile(rb"SSH-(?P<protocol>[^-\s]+)-(?P<software>[^\s]+)(?: (?P<comments>.*))?")


@dataclass(frozen=True, slots=True)
class SshSpec:
    """An SSH server that must greet.

    Attributes:
        host: name or address.
        port: TCP port.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        software: a regular expression found in the software version, such as `OpenSSH_9`.
        latency: limits on the time until the greeting.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port = 22
    ip: Family = Family.ANY
    software: re.Pattern[str] | None = None
    latency: Latency = field(default_factory=DurationLimits)


@dataclass(frozen=True, slots=True)
class SshProbe:
    """Reads the greeting of an SSH server."""

    spec: SshSpec
    endpoint: Endpoint

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        async with open_wire(attempt, self.endpoint) as wire:
            attempt.stage = "waiting for the SSH greeting"
            line = b""
            for _ in range(_MAX_LINES_BEFORE):
                line = await wire.receive_line()
                if line.startswith(b"SSH-"):
                    break
            wire.send(b"SSH-2.0-Holdfast\r\n")
        found = _IDENTIFICATION.fullmatch(line)
        if found is None:
            raise FaultError(f"expected an SSH greeting, found {quote(line.decode('utf-8', 'replace'))}")
        protocol, software = found["protocol"].decode("latin-1"), found["software"].decode("latin-1")
        attempt.facts.update(protocol=fact(protocol), software=fact(software))
        if found["comments"]:
            attempt.facts["comments"] = fact(found["comments"].decode("utf-8", "replace"))
        if protocol not in {"2.0", "1.99"}:
            attempt.down(f"expected SSH protocol 2.0, found {quote(protocol)}")
        if self.spec.software and not self.spec.software.search(software):
            attempt.down(f"expected software that matches /{self.spec.software.pattern}/, found {quote(software)}")
        judge_duration(attempt, "a greeting time", now_s() - attempt.started_s, self.spec.latency)
        return f"greeted by {software}"


def build(spec: SshSpec) -> SshProbe:
    """Make the probe of a spec."""
    return SshProbe(spec, Endpoint(spec.host, spec.port, spec.ip))


KIND: Final = ProbeKind("ssh", SshSpec, build)
