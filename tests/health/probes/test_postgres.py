"""The postgres kind against real servers, a primary with its standby among them, and against what is none."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import subprocess
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from fixtures import peers, servers
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"


async def test_a_shared_server_is_up(ask, postgres_url):
    where = urlsplit(postgres_url)
    seen = await ask("postgres", host=where.hostname, port=where.port or 5432, user=where.username, database="test")
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith(f"primary {seen.facts['version']} answers in ")
    assert seen.facts["connections"] >= 1
    assert None not in {seen.phases.connect_s, seen.phases.first_byte_s}


async def test_a_missing_database_is_down_with_the_servers_words(ask, postgres_url):
    where = urlsplit(postgres_url)
    seen = await ask("postgres", host=where.hostname, port=where.port or 5432, database="nowhere")
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith('database "nowhere" does not exist while connecting to 127.0.0.1 port ')


async def test_connections_are_judged(ask, postgres_url):
    where = urlsplit(postgres_url)
    seen = await ask("postgres", host=where.hostname, port=where.port or 5432, connections={"warn": 0, "crit": 100})
    assert seen.verdict is Verdict.DEGRADED
    assert seen.message.startswith("expected a connection share of at most 0%, found ")


class Cluster:
    """A primary that asks for a password over TLS or not, and a streaming standby of it."""

    def __init__(self, folder, authority):
        self.folder = folder
        self.bin = self._find_bin()
        self.primary, self.standby = peers.closed_port(), peers.closed_port()
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        issued = authority.issue("localhost")
        shutil.copy(issued.cert_file, folder / "server.crt")
        shutil.copy(issued.key_file, folder / "server.key")
        (folder / "password").write_text("s3cret-pa55")
        if self.as_user:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "postgres")
        (folder / "server.key").chmod(0o600)

    @staticmethod
    def _find_bin():
        folders = sorted(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))
        return Path(servers.require_program("initdb", *folders)).resolve().parent

    def run(self, program, *words):
        done = subprocess.run(
            [*self.as_user, str(self.bin / program), *words], check=False, capture_output=True, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr.decode()

    def argv(self, data, port):
        settings = {
            "listen_addresses": HERE,
            "unix_socket_directories": "",
            "fsync": "off",
            "wal_receiver_status_interval": "1s",
            "wal_retrieve_retry_interval": "200ms",
            "ssl": "on",
            "ssl_cert_file": self.folder / "server.crt",
            "ssl_key_file": self.folder / "server.key",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*self.as_user, str(self.bin / "postgres"), "-D", str(data), "-p", str(port), *options]


@pytest.fixture(scope="module")
def folder():
    """A folder outside pytest's own, which other users may not enter: the servers do not run as root."""
    with tempfile.TemporaryDirectory(prefix="holdfast-postgres-") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def cluster(folder, authority):
    cluster = Cluster(folder, authority)
    one, two = folder / "one", folder / "two"
    login = ["-U", "postgres", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    cluster.run("initdb", "-D", str(one), "-N", *login)
    with servers.running(cluster.argv(one, cluster.primary), cluster.primary, folder / "one.log"):
        source = f"host={HERE} port={cluster.primary} user=postgres password=s3cret-pa55"
        cluster.run("pg_basebackup", "-D", str(two), "-R", "-c", "fast", "-d", source)
        with servers.running(cluster.argv(two, cluster.standby), cluster.standby, folder / "two.log"):
            yield cluster


async def seen_as(ask, wanted, **fields):
    async with asyncio.timeout(60):
        while (  # noqa: ASYNC110 - another process has no event
            seen := await ask("postgres", host=HERE, password="${env:PASSWORD}", **fields)
        ).verdict is not wanted:
            await asyncio.sleep(0.1)
    return seen


@pytest.mark.service
async def test_a_primary_knows_its_standby_and_the_standby_its_primary(ask, cluster):
    primary = await seen_as(ask, Verdict.UP, port=cluster.primary, min_replicas=1)
    standby = await seen_as(ask, Verdict.UP, port=cluster.standby)
    assert (primary.facts["role"], primary.facts["replicas"]) == ("primary", 1)
    assert (standby.facts["role"], standby.facts["replication_lag_s"]) == ("standby", 0)
    lonely = await seen_as(ask, Verdict.DEGRADED, port=cluster.primary, min_replicas=2)
    assert lonely.message == "expected at least 2 replicas, found 1"


@pytest.fixture
async def log_in(cluster):
    """Give connections to the cluster's servers by port."""
    async with AsyncExitStack() as stack:

        async def connect(port):
            login = f"user=postgres password=s3cret-pa55 host={HERE} port={port}"
            connection = await psycopg.AsyncConnection.connect(login, autocommit=True)
            return await stack.enter_async_context(connection)

        yield connect


@pytest.mark.service
async def test_a_standby_that_is_behind_says_so(ask, cluster, log_in):
    await seen_as(ask, Verdict.UP, port=cluster.standby)
    primary, standby = await log_in(cluster.primary), await log_in(cluster.standby)
    await standby.execute("SELECT pg_wal_replay_pause()")
    await primary.execute("CREATE TABLE written ()")
    await primary.execute("DROP TABLE written")
    behind = await seen_as(ask, Verdict.DEGRADED, port=cluster.standby, replication_lag={"warn": "0s"})
    await standby.execute("SELECT pg_wal_replay_resume()")
    assert behind.message.startswith("expected a replication lag of at most 0 ms, found ")
    await seen_as(ask, Verdict.UP, port=cluster.standby, replication_lag={"warn": "0s"})


@pytest.mark.service
async def test_a_standby_that_lost_its_primary_says_so(ask, cluster, log_in):
    await seen_as(ask, Verdict.UP, port=cluster.standby)
    standby = await log_in(cluster.standby)
    cursor = await standby.execute("SELECT current_setting('primary_conninfo')")
    (there,) = await cursor.fetchone()
    for place, verdict in ((f"host={HERE} port={peers.closed_port()}", Verdict.DEGRADED), (there, Verdict.UP)):
        await standby.execute(sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(sql.Literal(place)))
        await standby.execute("SELECT pg_reload_conf()")
        seen = await seen_as(ask, verdict, port=cluster.standby)
        if verdict is Verdict.DEGRADED:
            assert seen.message == "the standby receives nothing from its primary"


@pytest.mark.service
async def test_a_wrong_password_is_down_and_not_shown(ask, cluster):
    seen = await ask("postgres", host=HERE, port=cluster.primary, password="${env:TOKEN}")
    none = await ask("postgres", host=HERE, port=cluster.primary)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith('password authentication failed for user "postgres"')
    assert "t0ken" not in seen.message
    assert "no password supplied" in none.message


@pytest.mark.service
async def test_tls_is_demanded_and_verified(ask, cluster, authority):
    fields = {"port": cluster.primary, "password": "${env:PASSWORD}"}
    tls = {"ca_file": authority.file, "server_name": "localhost"}
    trusted = await ask("postgres", host=HERE, **fields, tls=tls)
    other_name = await ask("postgres", host=HERE, **fields, tls={"ca_file": authority.file})
    untrusted = await ask("postgres", host="localhost", ip="4", **fields, tls=True)
    lenient = await ask("postgres", host=HERE, **fields, tls={"verify": False})
    assert (trusted.verdict, lenient.verdict) == (Verdict.UP, Verdict.UP)
    assert (other_name.verdict, untrusted.verdict) == (Verdict.DOWN, Verdict.DOWN)
    assert "certificate verify failed" in untrusted.message


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def speaks_postgres(*answers):
    """Refuse TLS, then answer the startup message and each later one with these bytes."""

    async def talk(reader, writer):
        waiting = list(answers)
        while waiting:
            asked = await reader.read(8192)
            if not asked:
                return
            if asked[4:8] in {b"\x04\xd2\x16/", b"\x04\xd2\x160"}:
                writer.write(b"N")
                continue
            writer.write(waiting.pop(0))
        await reader.read(-1)

    return talk


AUTH_OK = message(b"R", struct.pack(">I", 0)) + message(b"Z", b"I")


@pytest.mark.parametrize(
    ("talk", "text"),
    [
        (
            speaks_postgres(message(b"E", b"SFATAL\0C57P03\0Mthe database system is starting up\0\0")),
            "the database system is starting up while connecting to 127.0.0.1 port ",
        ),
        (speaks_postgres(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "while connecting to "),
        (speaks_postgres(AUTH_OK, b"\xff" * 50), "while waiting for the answer to a query"),
        (speaks_postgres(AUTH_OK, message(b"T", b"\0\7")), "while waiting for the answer to a query"),
        (peers.resets, "while connecting to "),
        (peers.says(b""), "while connecting to "),
        (peers.says_nothing, "no verdict within 500ms: stopped while connecting to "),
        (speaks_postgres(AUTH_OK, b""), "no verdict within 500ms: stopped while waiting for the answer to a query"),
    ],
)
async def test_a_broken_server_is_down_and_says_where(ask, talk, text):
    async with peers.peer(talk) as port:
        seen = await ask("postgres", host=HERE, port=port, timeout_s=0.5)
    assert seen.verdict is Verdict.DOWN
    assert text in seen.message


async def test_a_closed_port_is_down(ask):
    seen = await ask("postgres", host=HERE, port=peers.closed_port())
    assert seen.verdict is Verdict.DOWN
    assert "onnection refused" in seen.message


async def test_a_metadata_address_is_refused(ask):
    seen = await ask("postgres", host="169.254.169.254")
    assert seen.verdict is Verdict.UNKNOWN
