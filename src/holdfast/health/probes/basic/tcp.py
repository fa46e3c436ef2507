"""The `tcp` kind: connect, optionally in TLS, and optionally hold a short conversation."""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt, observe, quote, span
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.limits import DurationLimits, Latency, judge_duration
from holdfast.health.probes.network import Endpoint, Family, Port, Tls, Wire, open_wire

_MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    r"""One turn of a conversation.

    Attributes:
        send: text to send as it is; write `\r\n` where the protocol wants it. May hold secrets, `${env:NAME}`.
        expect: a regular expression that the answer so far must match, within 64 KiB and the timeout.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    send: str | None = None
    expect: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class TcpSpec:
    """A port that must accept connections.

    Attributes:
        host: name or address.
        port: TCP port.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options, to connect in TLS.
        exchange: turns of a conversation, each what to send, what to expect, or both.
        latency: limits on the time to connect, TLS included.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port
    ip: Family = Family.ANY
    tls: Tls = None
    exchange: tuple[Exchange, ...] = ()
    latency: Latency = field(default_factory=DurationLimits)


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Connects and converses."""

    spec: TcpSpec
    endpoint: Endpoint

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        async with open_wire(attempt, self.endpoint, self.spec.tls) as wire:
            connected_s = (attempt.connect_s or 0.0) + (attempt.tls_s or 0.0)
            judge_duration(attempt, "a connect time", connected_s, self.spec.latency)
            for turn in self.spec.exchange:
                await converse(attempt, wire, turn)
        return f"connected to {self.endpoint} in {span(connected_s)}"


async def converse(attempt: Attempt, wire: Wire, turn: Exchange) -> None:
    """Take one turn.

    Raises:
        FaultError: the answer is not the expected one.
    """
    if turn.send is not None:
        wire.send((await attempt.expand(turn.send)).encode())
    if turn.expect is None:
        return
    wanted = f"/{turn.expect.pattern}/"
    attempt.stage = f"waiting for an answer that matches {wanted}"
    received, answer, data = b"", "", b"more"
    while data and len(received) <= _MAX_ANSWER_BYTES:
        data = await wire.receive_some()
        received += data
        answer = received.decode("utf-8", "replace")
        if turn.expect.search(answer):
            return
        attempt.stage = f"waiting for an answer that matches {wanted}, found {quote(answer)} so far"
    raise FaultError(f"expected an answer that matches {wanted}, found {quote(answer)}")


def build(spec: TcpSpec) -> TcpProbe:
    """Make the probe of a spec."""
    return TcpProbe(spec, Endpoint(spec.host, spec.port, spec.ip))


KIND = ProbeKind("tcp", TcpSpec, build)
