"""The `mysql` kind, for MySQL and MariaDB: log in, ask, and read connections and replication.

The driver is synchronous, so it talks in a thread over a connection that was made here. Cutting that connection is
what ends the thread when the attempt ends first.
"""

import asyncio
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Final

from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt, fact, now_s, observe, one_line, span
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.limits import DurationLimits, PercentLimits, judge_duration, judge_percent
from holdfast.health.probes.network import Endpoint, Family, Port, Tls, client_context, find_addresses
from holdfast.health.probes.products.documents import pick

_THREADS: Final = 16
_MAX_ROWS: Final = 100
_DENIED: Final = frozenset({1044, 1045, 1142, 1227})  # the errors that say "you may not"
_UNKNOWN_SYNTAX: Final = 1064
_FOREIGN_BYTES: Final = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RuntimeError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class MysqlSpec:
    """A MySQL or MariaDB server.

    Attributes:
        host: name or address.
        port: TCP port.
        user: user to log in as; `REPLICATION CLIENT` (MariaDB: `REPLICA MONITOR`) lets it see replication.
        password: a reference to a secret, such as `${env:MYSQL_PASSWORD}`.
        database: database to open; empty for none.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options, to demand TLS; without it TLS is used, unverified, where the server offers it.
        connections: limits on the share of `max_connections` in use.
        replication_lag: limits on the time by which a replica is behind.
        replica: true if the server must be a replica.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port = 3306
    user: str = "root"
    password: str = ""
    database: str = ""
    ip: Family = Family.ANY
    tls: Tls = None
    connections: PercentLimits = field(default_factory=lambda: PercentLimits(warn=80, crit=95))
    replication_lag: DurationLimits = field(default_factory=lambda: DurationLimits(warn=60.0))
    replica: bool = False


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a server said; `replicas` is None where we may not ask."""

    version: str
    connections: int
    max_connections: int
    is_read_only: bool
    replicas: list[dict[str, Any]] | None
    seconds: float


@dataclass(frozen=True, slots=True)
class MysqlProbe:
    """Asks a MySQL or MariaDB server."""

    spec: MysqlSpec

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        spec = self.spec
        password = await attempt.expand(spec.password)
        attempt.hide(password)
        endpoint = Endpoint(spec.host, spec.port, spec.ip)
        tls = client_context(spec.tls) if spec.tls else None
        connection = await _connect(attempt, endpoint)
        # A second handle of the same connection: TLS takes the first one over.
        cut = connection.dup()
        attempt.stage = "talking to the server"
        talk = _threads().submit(_talk, spec, connection, password, tls, attempt.remaining_s())
        try:
            answers = await asyncio.wrap_future(talk)
        finally:
            if talk.cancel():  # it never began
                connection.close()
            with suppress(OSError):
                cut.shutdown(socket.SHUT_RDWR)  # wakes the thread out of whatever read it is in
            cut.close()
        self._judge(attempt, answers)
        return f"{answers.version} answers in {span(answers.seconds)}"

    def _judge(self, attempt: Attempt, answers: _Answers) -> None:
        share = 100 * answers.connections / max(1, answers.max_connections)
        attempt.first_byte_s = answers.seconds
        attempt.facts.update(
            version=fact(answers.version),
            connections=answers.connections,
            connections_percent=round(share, 1),
            read_only=answers.is_read_only,
        )
        judge_percent(attempt, "a connection share", share, self.spec.connections)
        for state in answers.replicas or ():
            self._judge_replica(attempt, state)
        if self.spec.replica and not answers.replicas:
            found = "found that we may not ask" if answers.replicas is None else "found no replication"
            attempt.down(f"expected a replica, {found}")

    def _judge_replica(self, attempt: Attempt, state: dict[str, Any]) -> None:
        """Judge one channel; MySQL says Source and Replica where MariaDB and older versions say Master and Slave."""
        running = {
            part: str(pick(state, f"Replica_{part}_Running") or pick(state, f"Slave_{part}_Running") or "No")
            for part in ("IO", "SQL")
        }
        stopped = [f"{part} is {what}" for part, what in running.items() if what != "Yes"]
        lag_s = state.get("Seconds_Behind_Source", state.get("Seconds_Behind_Master"))
        attempt.facts["role"] = "replica"
        if stopped:
            reason = state.get("Last_SQL_Error") or state.get("Last_IO_Error") or ""
            because = f": {one_line(str(reason), 200)}" if reason else ""
            attempt.down(f"replication does not run, {' and '.join(stopped)}{because}")
        elif isinstance(lag_s, int):
            attempt.facts["replication_lag_s"] = lag_s
            judge_duration(attempt, "a replication lag", lag_s, self.spec.replication_lag)


async def _connect(attempt: Attempt, endpoint: Endpoint) -> socket.socket:
    address, *_ = await find_addresses(attempt, endpoint)
    attempt.stage = f"connecting to {address} port {endpoint.port}"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    began_s = now_s()
    try:
        await asyncio.get_running_loop().sock_connect(connection, (address, endpoint.port))
    except BaseException:
        connection.close()
        raise
    attempt.connect_s = now_s() - began_s
    return connection


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Threads of our own: a server that answers slowly must not use up the ones of everybody else."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="holdfast-mysql")


def _talk(spec: MysqlSpec, connection: socket.socket, password: str, tls: Any, deadline_s: float) -> _Answers:
    """Log in and ask, in a thread.

    Raises:
        FaultError: the server refused or answered something else.
    """
    import pymysql  # noqa: PLC0415 - the driver is loaded by the first mysql check

    connection.settimeout(deadline_s)
    client = pymysql.connections.Connection(
        user=spec.user,
        password=password,
        host=(spec.tls and spec.tls.server_name) or spec.host,
        port=spec.port,
        database=spec.database or None,
        ssl=tls,
        defer_connect=True,
        connect_timeout=max(1, int(deadline_s)),
        read_timeout=deadline_s,
        write_timeout=deadline_s,
        cursorclass=pymysql.cursors.DictCursor,
        program_name="holdfast",
    )
    try:
        client.connect(connection)
        return _ask(client, pymysql)
    except pymysql.MySQLError as error:
        raise FaultError(_reason(error)) from None
    except _FOREIGN_BYTES as error:
        # The driver parses packets without guarding its look-ups; on foreign bytes they fail in all these ways.
        raise FaultError(f"the server does not speak MySQL: {one_line(str(error), 120)}") from None
    finally:
        with suppress(pymysql.MySQLError, OSError):
            client.close()
        connection.close()


def _ask(client: Any, pymysql: Any) -> _Answers:
    began_s = now_s()
    (row,) = _rows(client, "SELECT @@version AS version, @@max_connections AS most, @@read_only AS ro")
    seconds = now_s() - began_s
    (threads,) = _rows(client, "SHOW GLOBAL STATUS LIKE 'Threads_connected'")
    return _Answers(
        version=str(row["version"]),
        connections=int(threads["Value"]),
        max_connections=int(row["most"]),
        is_read_only=bool(row["ro"]),
        replicas=_replicas(client, pymysql),
        seconds=seconds,
    )


def _replicas(client: Any, pymysql: Any) -> list[dict[str, Any]] | None:
    for statement in ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS"):
        try:
            return _rows(client, statement)
        except pymysql.MySQLError as error:
            if error.args[0] in _DENIED:
                return None
            if error.args[0] != _UNKNOWN_SYNTAX:
                raise
    return None


def _rows(client: Any, statement: str) -> list[dict[str, Any]]:
    with client.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchmany(_MAX_ROWS))


def _reason(error: Exception) -> str:
    """Give the server's own words; the driver's errors are pairs of a number and a text."""
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return one_line(text, 240) or type(error).__name__


def build(spec: MysqlSpec) -> MysqlProbe:
    """Make the probe of a spec."""
    return MysqlProbe(spec)


KIND: Final = ProbeKind("mysql", MysqlSpec, build)
