"""The `postgres` kind: log in, ask, and read replication and connections from the server's own views."""

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, fact, now_s, observe, one_line, span
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.limits import DurationLimits, PercentLimits, judge_duration, judge_percent
from holdfast.health.probes.network import Endpoint, Family, Port, Tls, TlsOptions, find_addresses

_QUESTION: Final = """
SELECT current_setting('server_version'), pg_is_in_recovery(),
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""
# Nothing to replay is no lag, however long ago the last transaction was. A standby that has replayed none since it
# started, though there is something to replay, is behind at least since then.
_STANDBY: Final = """
SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM now() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))
       END::float8,
       (SELECT count(*) FROM pg_stat_wal_receiver WHERE coalesce(status, 'streaming') = 'streaming')
"""
_PRIMARY: Final = """
SELECT count(*), extract(epoch FROM max(replay_lag))::float8,
       max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))::float8
FROM pg_stat_replication
"""


@dataclass(frozen=True, slots=True)
class PostgresSpec:
    """A PostgreSQL server.

    Attributes:
        host: name or address, or the folder of a Unix socket.
        port: TCP port.
        user: role to log in as; membership in `pg_monitor` lets it see the lag of replicas.
        password: a reference to a secret, such as `${env:PGPASSWORD}`.
        database: database to open.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options, to demand TLS; without it TLS is used where the server offers it.
        connections: limits on the share of `max_connections` in use by clients.
        replication_lag: limits on the time by which a standby, or the slowest replica of a primary, is behind.
        min_replicas: the fewest replicas that a primary must have.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port = 5432
    user: str = "postgres"
    password: str = ""
    database: str = "postgres"
    ip: Family = Family.ANY
    tls: Tls = None
    connections: PercentLimits = field(default_factory=lambda: PercentLimits(warn=80, crit=95))
    replication_lag: DurationLimits = field(default_factory=lambda: DurationLimits(warn=60.0))
    min_replicas: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class PostgresProbe:
    """Asks a PostgreSQL server."""

    spec: PostgresSpec

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        import psycopg  # noqa: PLC0415 - the driver is loaded by the first postgres check

        try:
            connection = await self._connect(attempt, psycopg)
            try:
                return await _or_cut(connection, self._ask(attempt, connection))
            finally:
                await connection.close()
        except psycopg.Error as error:
            raise FaultError(_reason(error, attempt.stage)) from None

    async def _connect(self, attempt: Attempt, psycopg: Any) -> Any:
        spec = self.spec
        options: dict[str, Any] = {"host": spec.host, **_tls_options(spec.tls)}
        if not spec.host.startswith("/"):
            options["hostaddr"], *_ = await find_addresses(attempt, Endpoint(spec.host, spec.port, spec.ip))
        if spec.password:
            options["password"] = await attempt.expand(spec.password)
            attempt.hide(options["password"])
        attempt.stage = f"connecting to {options.get('hostaddr', spec.host)} port {spec.port}"
        began_s = now_s()
        connection = await psycopg.AsyncConnection.connect(
            **options,
            port=spec.port,
            user=spec.user,
            dbname=spec.database,
            application_name="holdfast",
            autocommit=True,
            prepare_threshold=None,  # poolers in transaction mode cannot keep prepared statements
        )
        attempt.connect_s = now_s() - began_s
        return connection

    async def _ask(self, attempt: Attempt, connection: Any) -> str:
        attempt.stage = "waiting for the answer to a query"
        began_s = now_s()
        version, is_standby, clients, most = await _row(connection, _QUESTION)
        attempt.first_byte_s = now_s() - began_s
        share = 100 * clients / max(1, most)
        attempt.facts.update(
            version=fact(version),
            role="standby" if is_standby else "primary",
            connections=clients,
            connections_percent=round(share, 1),
        )
        judge_percent(attempt, "a connection share", share, self.spec.connections)
        await (self._judge_standby if is_standby else self._judge_primary)(attempt, connection)
        return f"{attempt.facts['role']} {version} answers in {span(attempt.first_byte_s)}"

    async def _judge_standby(self, attempt: Attempt, connection: Any) -> None:
        lag_s, receivers = await _row(connection, _STANDBY)
        if not receivers:
            attempt.degraded("the standby receives nothing from its primary")
        if lag_s is not None:
            attempt.facts["replication_lag_s"] = round(lag_s, 3)
            judge_duration(attempt, "a replication lag", lag_s, self.spec.replication_lag)

    async def _judge_primary(self, attempt: Attempt, connection: Any) -> None:
        replicas, lag_s, lag_bytes = await _row(connection, _PRIMARY)
        attempt.facts["replicas"] = replicas
        if replicas < self.spec.min_replicas:
            attempt.degraded(f"expected at least {self.spec.min_replicas} replicas, found {replicas}")
        if lag_bytes is not None:
            attempt.facts["replication_lag_bytes"] = lag_bytes
        if lag_s is not None:
            attempt.facts["replication_lag_s"] = round(lag_s, 3)
            judge_duration(attempt, "a replication lag", lag_s, self.spec.replication_lag)


async def _or_cut(connection: Any, asking: Coroutine[Any, Any, str]) -> str:
    """Await `asking`; when cancelled, cut the connection under it.

    Left alone, the driver would spend up to five seconds on asking the server to cancel its query. It must not be
    closed under the driver either, because the file descriptor could be somebody else's by the time it looks.
    """
    task = asyncio.ensure_future(asking)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as handle:
            handle.shutdown(socket.SHUT_RDWR)
        await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()  # expected, and of no interest
        raise


async def _row(connection: Any, query: str) -> tuple[Any, ...]:
    cursor = await connection.execute(query)
    row = await cursor.fetchone()
    if row is None:
        raise FaultError("the server answered a query without its row")
    return tuple(row)


def _tls_options(tls: TlsOptions | None) -> dict[str, Any]:
    """Say in libpq's words what `tls` says."""
    if tls is None:
        return {"sslmode": "prefer"}
    options = {
        "sslmode": "verify-full" if tls.verify else "require",
        "sslrootcert": tls.ca_file or ("system" if tls.verify else None),
        "sslcert": tls.cert_file,
        "sslkey": tls.key_file or tls.cert_file,
        "ssl_min_protocol_version": f"TLSv{tls.min_version}",
        "host": tls.server_name,
    }
    return {name: value for name, value in options.items() if value is not None}


def _reason(error: Exception, stage: str) -> str:
    """Give the first line that says something: libpq repeats the address before the server's own words."""
    text = str(error)
    _, _, fatal = text.partition("FATAL:")
    said = (fatal or text).strip().splitlines()
    return f"{one_line(said[0], 240) if said else type(error).__name__} while {stage}"


def build(spec: PostgresSpec) -> PostgresProbe:
    """Make the probe of a spec."""
    return PostgresProbe(spec)


KIND: Final = ProbeKind("postgres", PostgresSpec, build)
