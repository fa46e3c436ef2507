"""The redis kind against real servers, and against what a broken one may say."""

from __future__ import annotations

import asyncio
import subprocess
from urllib.parse import urlsplit

import pytest

from fixtures import peers, servers
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"


async def test_a_shared_server_is_up(ask, redis_url):
    where = urlsplit(redis_url)
    seen = await ask("redis", host=where.hostname, port=where.port or 6379)
    assert seen.verdict is Verdict.UP
    assert seen.message == f"primary {seen.facts['version']} answers"
    assert seen.facts["clients"] >= 1
    assert None not in {seen.phases.connect_s, seen.phases.first_byte_s}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A primary with a password and a small memory, and a replica of it: their ports."""
    binary = servers.require_program("redis-server")
    folder = tmp_path_factory.mktemp("redis")
    primary, replica = peers.closed_port(), peers.closed_port()
    shared = ["--bind", HERE, "--save", "", "--dir", str(folder), "--requirepass", "s3cret-pa55"]
    first = [binary, "--port", str(primary), *shared, "--maxmemory", "200mb", "--maxclients", "50"]
    second = [binary, "--port", str(replica), *shared, "--masterauth", "s3cret-pa55"]
    second += ["--replicaof", HERE, str(primary)]
    with (
        servers.running(first, primary, folder / "primary.log"),
        servers.running(second, replica, folder / "replica.log"),
    ):
        yield primary, replica


def command(port, *words):
    subprocess.run(
        ["redis-cli", "-p", str(port), "--no-auth-warning", "-a", "s3cret-pa55", *words],
        check=True,
        capture_output=True,
    )


async def seen_as(ask, wanted, **fields):
    async with asyncio.timeout(60):
        while (seen := await ask("redis", host=HERE, password="${env:PASSWORD}", **fields)).verdict is not wanted:  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.05)
    return seen


@pytest.mark.service
async def test_a_primary_knows_its_replicas_and_a_replica_its_primary(ask, pair):
    primary, replica = pair
    first = await seen_as(ask, Verdict.UP, port=primary, min_replicas=1)
    second = await seen_as(ask, Verdict.UP, port=replica)
    assert (first.facts["role"], first.facts["replicas"]) == ("primary", 1)
    assert (second.facts["role"], second.facts["primary_link"]) == ("replica", "up")
    assert second.facts["replication_lag_s"] >= 0
    missing = await ask("redis", host=HERE, port=primary, password="${env:PASSWORD}", min_replicas=2)
    assert (missing.verdict, missing.message) == (Verdict.DEGRADED, "expected at least 2 replicas, found 1")


@pytest.mark.service
async def test_a_replica_that_lost_its_primary_is_down(ask, pair):
    primary, replica = pair
    await seen_as(ask, Verdict.UP, port=replica)
    command(replica, "replicaof", HERE, str(peers.closed_port()))
    try:
        seen = await seen_as(ask, Verdict.DOWN, port=replica)
    finally:
        command(replica, "replicaof", HERE, str(primary))
    assert seen.message.startswith("the link to the primary is down, for ")


@pytest.mark.service
async def test_shares_of_memory_and_clients_are_judged(ask, pair):
    primary, _ = pair
    fields = {"port": primary, "password": "${env:PASSWORD}"}
    full = await ask("redis", host=HERE, **fields, memory={"warn": 0.1}, clients={"crit": 0})
    assert full.verdict is Verdict.DOWN
    assert full.message.startswith("expected a client share of at most 0%, found ")
    assert "; expected a memory use of at most 0.1%, found " in full.message


@pytest.mark.service
async def test_a_wrong_or_missing_password_is_down_and_not_shown(ask, pair):
    primary, _ = pair
    none = await ask("redis", host=HERE, port=primary)
    wrong = await ask("redis", host=HERE, port=primary, password="${env:TOKEN}")
    assert none.message == "expected PONG, found an error: NOAUTH Authentication required."
    assert wrong.verdict is Verdict.DOWN
    assert wrong.message.startswith("expected PONG, found an error: WRONGPASS")
    assert "t0ken" not in wrong.message


def redis(info=None, *, ping=b"+PONG\r\n", cluster=None):
    """Answer PING, INFO and CLUSTER INFO as told."""

    def bulk(text):
        return b"$%d\r\n%s\r\n" % (len(text), text.encode())

    async def talk(reader, writer):
        while header := await reader.readline():
            words = []
            for _ in range(int(header[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2])
            if words[0] == b"PING":
                writer.write(ping)
            elif words[0] == b"INFO":
                writer.write(info if isinstance(info, bytes) else bulk(info or HEALTHY))
            else:
                writer.write(cluster if isinstance(cluster, bytes) else bulk(cluster or ""))

    return talk


HEALTHY = "# Server\r\nredis_version:7.2.0\r\nrole:master\r\nconnected_clients:1\r\nmaxclients:100\r\n"


@pytest.mark.parametrize(
    ("talk", "verdict", "message"),
    [
        (redis(), Verdict.UP, "primary 7.2.0 answers"),
        (redis(HEALTHY + "valkey_version:8.0.1\r\n"), Verdict.UP, "primary 8.0.1 answers"),
        (
            redis(HEALTHY + "used_memory:95\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n"),
            Verdict.DEGRADED,
            "expected a memory use of at most 90%, found 95%",
        ),
        (
            redis(HEALTHY + "used_memory:95\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n"),
            Verdict.UP,
            "primary 7.2.0 answers",
        ),
        (
            redis(HEALTHY + "rdb_last_bgsave_status:err\r\naof_last_write_status:err\r\n"),
            Verdict.DEGRADED,
            "the last snapshot to disk failed; the last write to the append-only file failed",
        ),
        (
            redis(ping=b"-LOADING Redis is loading the dataset in memory\r\n"),
            Verdict.DOWN,
            "expected PONG, found an error: LOADING Redis is loading the dataset in memory",
        ),
        (
            redis(b"-NOPERM this user has no permissions to run the 'info' command\r\n"),
            Verdict.DEGRADED,
            "the server answers PING, but not INFO: NOPERM this user has no permissions to run the 'info' command",
        ),
        (
            redis(HEALTHY + "cluster_enabled:1\r\n", cluster="cluster_state:fail\r\n"),
            Verdict.DOWN,
            'expected a cluster state of ok, found "fail"',
        ),
        (
            redis(HEALTHY + "cluster_enabled:1\r\n", cluster="cluster_state:ok\r\n"),
            Verdict.UP,
            "primary 7.2.0 answers",
        ),
        (
            redis("redis_version:7\r\nrole:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:90\r\n"),
            Verdict.DEGRADED,
            "expected a replication lag of at most 60 s, found 90 s",
        ),
        (redis(ping=b"+PANG\r\n"), Verdict.DOWN, 'expected PONG, found "PANG"'),
        (redis(ping=b"HTTP/1.1 400 Bad\r\n"), Verdict.DOWN, 'expected a reply of Redis, found "HTTP/1.1 400 Bad"'),
        (redis(b"$99999999999\r\n"), Verdict.DOWN, "the reply to INFO is larger than it can be"),
        (redis(b"$-5\r\n"), Verdict.DOWN, 'expected a reply of Redis, found "$-5"'),
        (redis(b"$5\r\nab"), Verdict.DOWN, "no verdict within 300ms: stopped while waiting for the answer to INFO"),
        (redis("nothing\r\n"), Verdict.DOWN, "the answer to INFO is not that of Redis"),
        (
            redis(HEALTHY + "maxmemory:much\r\n"),
            Verdict.DOWN,
            'expected a number as maxmemory, found "much"',
        ),
        (
            peers.resets,
            Verdict.DOWN,
            "connection reset by peer while waiting for the answer to PING",
        ),
        (
            peers.says_nothing,
            Verdict.DOWN,
            "no verdict within 300ms: stopped while waiting for the answer to PING",
        ),
    ],
)
async def test_what_a_server_says_is_judged(ask, talk, verdict, message):
    async with peers.peer(talk) as port:
        seen = await ask("redis", host=HERE, port=port, timeout_s=0.3)
    assert (seen.verdict, seen.message) == (verdict, message)


async def test_tls_is_spoken(ask, authority):
    async with peers.peer(redis(), tls=authority.issue(HERE).server_context()) as port:
        seen = await ask("redis", host=HERE, port=port, tls={"ca_file": authority.file})
    assert seen.verdict is Verdict.UP
    assert seen.phases.tls_s is not None
