"""The `redis` kind: PING, then what INFO says of memory, clients, persistence, replication and the cluster.

Speaks RESP itself: two commands need no driver. Valkey and KeyDB answer the same.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, fact, observe, one_line, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.limits import DurationLimits, PercentLimits, judge_duration, judge_percent
from holdfast.health.probes.network import Endpoint, Family, Port, Tls, Wire, open_wire

_MAX_BULK_BYTES: Final = 512 * 1024
_INFO_LINE: Final = re.compile(r"^([a-z0-9_]+):(.*?)\r?$", re.MULTILINE)
_DEFAULT_MEMORY: Final = PercentLimits(warn=90, crit=98)


@dataclass(frozen=True, slots=True)
class RedisSpec:
    """A Redis or Valkey server.

    Attributes:
        host: name or address.
        port: TCP port.
        username: user of the access control list; empty for the default one.
        password: a reference to a secret, such as `${env:REDIS_PASSWORD}`.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options, to connect in TLS.
        memory: limits on the share of `maxmemory` that is used. Left out, they are 90 and 98 where a full server
            refuses writes (`noeviction`), and none where it evicts keys, because a cache is meant to be full.
        clients: limits on the share of `maxclients` that is connected.
        replication_lag: limits on a replica's time since it last heard from its primary.
        min_replicas: the fewest replicas that a primary must have.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port = 6379
    username: str = ""
    password: str = ""
    ip: Family = Family.ANY
    tls: Tls = None
    memory: PercentLimits | None = None
    clients: PercentLimits = field(default_factory=lambda: PercentLimits(warn=80, crit=95))
    replication_lag: DurationLimits = field(default_factory=lambda: DurationLimits(warn=60.0))
    min_replicas: Annotated[int, Field(ge=0)] = 0


class _Refused(Exception):  # noqa: N818 - an answer of the protocol, caught in this module
    """The server answered a command with an error."""


@dataclass(frozen=True, slots=True)
class RedisProbe:
    """Asks a Redis server."""

    spec: RedisSpec
    endpoint: Endpoint

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        async with open_wire(attempt, self.endpoint, self.spec.tls) as wire:
            try:
                await self._log_in(attempt, wire)
                attempt.stage = "waiting for the answer to PING"
                pong = await _command(wire, "PING")
            except _Refused as error:
                raise FaultError(f"expected PONG, found an error: {error}") from None
            if pong != "PONG":
                raise FaultError(f"expected PONG, found {quote(pong)}")
            attempt.stage = "waiting for the answer to INFO"
            try:
                info = dict(_INFO_LINE.findall(await _command(wire, "INFO")))
            except _Refused as error:
                attempt.degraded(f"the server answers PING, but not INFO: {error}")
                return ""
            if info.get("cluster_enabled") == "1":
                await _judge_cluster(attempt, wire)
        self._judge(attempt, info)
        return f"{attempt.facts['role']} {attempt.facts['version']} answers"

    async def _log_in(self, attempt: Attempt, wire: Wire) -> None:
        if not self.spec.password:
            return
        attempt.stage = "logging in"
        password = await attempt.expand(self.spec.password)
        attempt.hide(password)
        await _command(wire, "AUTH", *([self.spec.username] if self.spec.username else []), password)

    def _judge(self, attempt: Attempt, info: dict[str, str]) -> None:
        if "redis_version" not in info:
            raise FaultError("the answer to INFO is not that of Redis")
        attempt.facts.update(
            version=fact(info.get("valkey_version") or info["redis_version"]),
            role=fact(info.get("role", "unknown")),
            clients=_number(info, "connected_clients"),
            used_memory_bytes=_number(info, "used_memory"),
        )
        if info.get("loading") == "1":
            attempt.down("the server is loading its data and refuses commands")
        self._judge_shares(attempt, info)
        self._judge_replication(attempt, info)
        if info.get("rdb_last_bgsave_status", "ok") != "ok":
            attempt.degraded("the last snapshot to disk failed")
        if info.get("aof_last_write_status", "ok") != "ok":
            attempt.degraded("the last write to the append-only file failed")

    def _judge_shares(self, attempt: Attempt, info: dict[str, str]) -> None:
        max_memory, max_clients = _number(info, "maxmemory"), _number(info, "maxclients")
        if max_memory:
            used = 100 * _number(info, "used_memory") / max_memory
            attempt.facts["memory_percent"] = round(used, 1)
            evicts = info.get("maxmemory_policy", "noeviction") != "noeviction"
            judge_percent(
                attempt,
                "a memory use",
                used,
                self.spec.memory or (PercentLimits() if evicts else _DEFAULT_MEMORY),
            )
        if max_clients:
            share = 100 * _number(info, "connected_clients") / max_clients
            attempt.facts["clients_percent"] = round(share, 1)
            judge_percent(attempt, "a client share", share, self.spec.clients)

    def _judge_replication(self, attempt: Attempt, info: dict[str, str]) -> None:
        if info.get("role") == "slave":
            attempt.facts["role"] = "replica"
            attempt.facts["primary_link"] = fact(info.get("master_link_status", "unknown"))
            if info.get("master_link_status") != "up":
                since = _number(info, "master_link_down_since_seconds")
                attempt.down(f"the link to the primary is down, for {since} s")
                return
            lag_s = max(0, _number(info, "master_last_io_seconds_ago"))
            attempt.facts["replication_lag_s"] = lag_s
            judge_duration(attempt, "a replication lag", lag_s, self.spec.replication_lag)
            return
        attempt.facts["role"] = "primary" if info.get("role") == "master" else fact(info.get("role", "unknown"))
        replicas = _number(info, "connected_slaves")
        attempt.facts["replicas"] = replicas
        if replicas < self.spec.min_replicas:
            attempt.degraded(f"expected at least {self.spec.min_replicas} replicas, found {replicas}")


async def _judge_cluster(attempt: Attempt, wire: Wire) -> None:
    try:
        state = dict(_INFO_LINE.findall(await _command(wire, "CLUSTER", "INFO"))).get("cluster_state", "unknown")
    except _Refused as error:
        attempt.degraded(f"the state of the cluster cannot be read: {error}")
        return
    attempt.facts["cluster_state"] = fact(state)
    if state != "ok":
        attempt.down(f"expected a cluster state of ok, found {quote(state)}")


async def _command(wire: Wire, *words: str) -> str:
    """Send one command as RESP arrays of bulk strings, give its string reply.

    Raises:
        _Refused: the reply is an error.
        FaultError: the reply is not RESP, or no string.
    """
    parts = [word.encode() for word in words]
    wire.send(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    line = (await wire.receive_line()).decode("utf-8", "replace")
    kind, rest = line[:1], line[1:]
    if kind == "-":
        raise _Refused(one_line(rest, 160))
    if kind == "+":
        return rest
    if kind == "$" and rest.isdecimal() and rest.isascii():
        size = int(rest)
        if size > _MAX_BULK_BYTES:
            raise FaultError(f"the reply to {words[0]} is larger than it can be")
        return (await wire.receive_exactly(size + 2))[:-2].decode("utf-8", "replace")
    raise FaultError(f"expected a reply of Redis, found {quote(line)}")


def _number(info: dict[str, str], name: str) -> int:
    try:
        return int(info.get(name, "0"))
    except ValueError:
        raise FaultError(f"expected a number as {name}, found {quote(info[name])}") from None


def build(spec: RedisSpec) -> RedisProbe:
    """Make the probe of a spec."""
    return RedisProbe(spec, Endpoint(spec.host, spec.port, spec.ip))


KIND: Final = ProbeKind("redis", RedisSpec, build)
