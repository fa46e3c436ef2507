"""The `nats` kind: greeting, log-in, PING, JetStream, and what the monitoring port says of slow consumers.

Speaks the client protocol itself: it is five words of text.
"""

import os
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import orjson
from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt, fact, observe, one_line, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http import Call, UrlText, fetch
from holdfast.health.probes.limits import CountLimits, PercentLimits, judge_count, judge_percent
from holdfast.health.probes.network import DEFAULT_TLS, Endpoint, Family, Port, Tls, Wire, open_wire
from holdfast.health.probes.products.access import HttpAccess, call_of, fetch_ok
from holdfast.health.probes.products.documents import number, pick

_MAX_LINE_BYTES: Final = 64 * 1024  # a greeting lists all servers of a cluster
_MAX_LINES: Final = 100
_JETSTREAM: Final = "$JS.API.INFO"


@dataclass(frozen=True, slots=True)
class NatsSpec:
    """A NATS server.

    Attributes:
        host: name or address.
        port: client port.
        username: user name, with a password.
        password: a reference to a secret, such as `${env:NATS_PASSWORD}`.
        token: a token instead of a user name; a reference to a secret.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options; without it TLS is still spoken where the server demands it.
        jetstream: whether JetStream must be enabled for this account.
        monitoring_url: the monitoring port, such as `http://nats.example:8222`.
        slow_consumers: limits on the server's count of slow consumers, which needs `monitoring_url`.
        connections: limits on the share of `max_connections`, which needs `monitoring_url`.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port = 4222
    username: str = ""
    password: str = ""
    token: str = ""
    ip: Family = Family.ANY
    tls: Tls = None
    jetstream: bool = False
    monitoring_url: UrlText | None = None
    slow_consumers: CountLimits = field(default_factory=CountLimits)
    connections: PercentLimits = field(default_factory=lambda: PercentLimits(warn=80, crit=95))


@dataclass(frozen=True, slots=True)
class NatsProbe:
    """Asks a NATS server."""

    spec: NatsSpec
    endpoint: Endpoint
    varz: Call | None
    healthz: Call | None

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        async with open_wire(attempt, self.endpoint) as wire:
            attempt.stage = "waiting for the greeting"
            info = _parse_info(await wire.receive_line(_MAX_LINE_BYTES))
            if self.spec.tls is not None or info.get("tls_required") is True:
                await wire.start_tls(self.endpoint, self.spec.tls or DEFAULT_TLS)
            await self._log_in(attempt, wire)
            self._note(attempt, info)
            if self.spec.jetstream:
                await _judge_jetstream(attempt, wire)
        await self._judge_monitoring(attempt)
        return f"NATS {attempt.facts['version']} answers"

    def _note(self, attempt: Attempt, info: dict[str, Any]) -> None:
        attempt.facts.update(
            version=fact(info.get("version", "unknown")),
            server_name=fact(info.get("server_name", "")),
            jetstream=info.get("jetstream") is True,
        )
        if info.get("cluster"):
            attempt.facts["cluster"] = fact(info["cluster"])
        if info.get("ldm") is True:
            attempt.degraded("the server is in lame duck mode: it is about to stop")

    async def _log_in(self, attempt: Attempt, wire: Wire) -> None:
        attempt.stage = "logging in"
        hello: dict[str, Any] = {
            "verbose": False,
            "pedantic": False,
            "name": "holdfast",
            "lang": "python",
            "version": "1",
            "protocol": 1,
            "headers": True,
            "no_responders": True,
        }
        if self.spec.username:
            hello["user"], hello["pass"] = self.spec.username, await attempt.expand(self.spec.password)
            attempt.hide(hello["pass"])
        if self.spec.token:
            hello["auth_token"] = await attempt.expand(self.spec.token)
            attempt.hide(hello["auth_token"])
        wire.send(b"CONNECT " + orjson.dumps(hello) + b"\r\nPING\r\n")
        attempt.stage = "waiting for PONG"
        await _await_word(wire, "PONG")

    async def _judge_monitoring(self, attempt: Attempt) -> None:
        if self.varz is None or self.healthz is None:
            return
        health = await fetch(attempt, self.healthz)
        if health.status not in {200, 404}:  # 404: a server older than 2.4
            attempt.down(f"the server says that it is not healthy: {health.excerpt(160)}")
        varz = (await fetch_ok(attempt, self.varz)).json
        slow, connected = number(varz, "slow_consumers"), number(varz, "connections")
        most = number(varz, "max_connections")
        attempt.facts.update(slow_consumers=slow, connections=connected)
        judge_count(attempt, "a number of slow consumers", slow, self.spec.slow_consumers)
        if most:
            share = 100 * connected / most
            attempt.facts["connections_percent"] = round(share, 1)
            judge_percent(attempt, "a connection share", share, self.spec.connections)


def _parse_info(line: bytes) -> dict[str, Any]:
    text = line.decode("utf-8", "replace")
    word, _, document = text.partition(" ")
    try:
        info = orjson.loads(document) if word == "INFO" else None
    except orjson.JSONDecodeError:
        info = None
    if not isinstance(info, dict):
        raise FaultError(f"expected the greeting of NATS, found {quote(text)}")
    return info


async def _await_word(wire: Wire, *words: str) -> list[str]:
    """Skip to the line that begins with one of `words`, answering PING on the way; give its parts.

    Raises:
        FaultError: the server said -ERR, or something else for too long.
    """
    for _ in range(_MAX_LINES):
        line = (await wire.receive_line(_MAX_LINE_BYTES)).decode("utf-8", "replace")
        parts = line.split()
        word = parts[0].upper() if parts else ""
        if word in words:
            return parts
        if word == "-ERR":
            raise FaultError(f"the server refused: {one_line(line[5:].strip(), 160)}")
        if word == "PING":
            wire.send(b"PONG\r\n")
        elif word not in {"+OK", "INFO"}:
            raise FaultError(f"expected {' or '.join(words)}, found {quote(line)}")
    raise FaultError(f"expected {' or '.join(words)}, found something else for {_MAX_LINES} lines")


async def _judge_jetstream(attempt: Attempt, wire: Wire) -> None:
    attempt.stage = "waiting for JetStream"
    inbox = f"_INBOX.holdfast.{os.urandom(8).hex()}"
    wire.send(f"SUB {inbox} 1\r\nPUB {_JETSTREAM} {inbox} 0\r\n\r\n".encode())
    parts = await _await_word(wire, "MSG", "HMSG")
    size = parts[-1]
    if not (size.isascii() and size.isdecimal()):
        raise FaultError(f"expected a message of JetStream, found {quote(' '.join(parts))}")
    payload = (await wire.receive_exactly(int(size) + 2))[:-2]
    if parts[0].upper() == "HMSG":  # the server's own "503 no responders"
        attempt.down("expected JetStream to be enabled for this account, found that nothing answers for it")
        return
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise FaultError("the answer of JetStream is not JSON") from None
    error = pick(answer, "error", "description")
    if error is not None:
        attempt.down(f"expected JetStream to be enabled for this account, found {one_line(str(error), 160)}")
        return
    attempt.facts.update(streams=number(answer, "streams"), consumers=number(answer, "consumers"))


def build(spec: NatsSpec) -> NatsProbe:
    """Make the probe of a spec."""
    access = HttpAccess(spec.monitoring_url, ip=spec.ip) if spec.monitoring_url else None
    varz = call_of(access, "varz") if access else None
    healthz = call_of(access, "healthz") if access else None
    return NatsProbe(spec, Endpoint(spec.host, spec.port, spec.ip), varz, healthz)


KIND: Final = ProbeKind("nats", NatsSpec, build)
