"""The mysql kind against a real server, and against what is none."""

from __future__ import annotations

import asyncio
import struct
from urllib.parse import urlsplit

import pytest

from fixtures import peers
from holdfast.health.probes.contract import ProbeContext
from holdfast.health.probes.products import mysql
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"


@pytest.fixture
def server(mysql_url):
    where = urlsplit(mysql_url)
    return {"host": where.hostname, "port": where.port or 3306, "user": where.username or "root"}


async def test_a_server_is_up(ask, server):
    seen = await ask("mysql", **server)
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith(f"{seen.facts['version']} answers in ")
    assert seen.facts["connections"] >= 1
    assert None not in {seen.phases.connect_s, seen.phases.first_byte_s}


async def test_refusals_are_down_with_the_servers_words(ask, server):
    login = await ask("mysql", **{**server, "user": "nobody"}, password="${env:PASSWORD}")
    database = await ask("mysql", **server, database="nowhere")
    assert login.verdict is Verdict.DOWN
    assert login.message.startswith("Access denied for user 'nobody'@")
    assert (database.verdict, database.message) == (Verdict.DOWN, "Unknown database 'nowhere'")


async def test_shares_and_roles_are_judged(ask, server):
    crowded = await ask("mysql", **server, connections={"warn": 0})
    primary = await ask("mysql", **server, replica=True)
    assert crowded.verdict is Verdict.DEGRADED
    assert crowded.message.startswith("expected a connection share of at most 0%, found ")
    assert (primary.verdict, primary.message) == (Verdict.DOWN, "expected a replica, found no replication")


async def test_tls_is_demanded(ask, server):
    seen = await ask("mysql", **server, tls={"verify": False})
    if seen.verdict is Verdict.DOWN:  # a server without a certificate
        assert "SSL" in seen.message
    else:
        assert seen.verdict is Verdict.UP


def answers(replicas):
    return mysql._Answers("8.4.0", 5, 100, is_read_only=True, replicas=replicas, seconds=0.001)


@pytest.mark.parametrize(
    ("replicas", "fields", "verdict", "message"),
    [
        (
            [{"Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes", "Seconds_Behind_Source": 3}],
            {"replica": True},
            Verdict.UP,
            "",
        ),
        (
            [{"Slave_IO_Running": "Yes", "Slave_SQL_Running": "Yes", "Seconds_Behind_Master": 90}],
            {},
            Verdict.DEGRADED,
            "expected a replication lag of at most 60 s, found 90 s",
        ),
        (
            [
                {
                    "Slave_IO_Running": "Connecting",
                    "Slave_SQL_Running": "No",
                    "Seconds_Behind_Master": None,
                    "Last_SQL_Error": "Duplicate entry '7'",
                }
            ],
            {},
            Verdict.DOWN,
            "replication does not run, IO is Connecting and SQL is No: Duplicate entry '7'",
        ),
        (None, {"replica": True}, Verdict.DOWN, "expected a replica, found that we may not ask"),
        (None, {}, Verdict.UP, ""),
    ],
)
async def test_replication_is_judged(replicas, fields, verdict, message):
    from holdfast.health.probes import attempts  # noqa: PLC0415 - this test reaches inside

    probe = mysql.build(mysql.MysqlSpec(host=HERE, **fields))

    async def examine(attempt):
        probe._judge(attempt, answers(replicas))
        return ""

    seen = await attempts.observe(ProbeContext(1, str), examine)
    assert (seen.verdict, seen.message) == (verdict, message)


GREETING = b"\x0a8.0.36\0" + struct.pack("<I", 7) + b"12345678\0" + b"\xff\xf7\xff\x02\0\xff\x80\x15" + b"\0" * 10
GREETING += b"123456789012\0caching_sha2_password\0"


def packet(body, number=0):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


@pytest.mark.parametrize(
    ("talk", "text"),
    [
        (peers.says(packet(b"\xff\x10\x04Too many connections")), "Too many connections"),
        (peers.says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), ""),
        (peers.says(packet(b"")), ""),
        (peers.says(packet(b"\x0a")), ""),
        (peers.says(packet(GREETING)), ""),
        (peers.says(packet(GREETING) + packet(b"\xfb" * 30, 2)), ""),
        (peers.says(packet(GREETING) + packet(b"\xfe", 2)), ""),
        (peers.says(b"\xff\xff\xff\0" + b"x" * 1000), ""),
        (peers.says(b""), ""),
        (peers.resets, ""),
        (peers.says_nothing, "no verdict within 500ms: stopped while talking to the server"),
    ],
)
async def test_a_broken_server_is_down(ask, talk, text):
    async with peers.peer(talk) as port:
        seen = await ask("mysql", host=HERE, port=port, timeout_s=0.5)
    assert seen.verdict is Verdict.DOWN
    assert text in seen.message


async def test_an_attempt_that_is_cut_off_ends_its_thread(ask):
    connected = asyncio.Event()

    async def talk(reader, _):
        connected.set()
        await reader.read(-1)

    async with peers.peer(talk) as port:
        attempt = asyncio.ensure_future(ask("mysql", host=HERE, port=port, timeout_s=60))
        await asyncio.wait_for(connected.wait(), 60)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        async with asyncio.timeout(60):
            while busy_threads() > 0:  # noqa: ASYNC110 - a thread has no event
                await asyncio.sleep(0.01)


def busy_threads():
    pool = mysql._threads()
    return len(pool._threads) - pool._idle_semaphore._value + pool._work_queue.qsize()


async def test_a_closed_port_is_down(ask):
    port = peers.closed_port()
    seen = await ask("mysql", host=HERE, port=port)
    assert seen.message == f"connection refused while connecting to 127.0.0.1 port {port}"
