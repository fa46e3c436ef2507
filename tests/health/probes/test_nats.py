"""The nats kind against real servers, and against what a broken one may say."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from fixtures import peers, servers
from fixtures.peers import http, routes
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"


async def test_a_shared_server_is_up(ask, nats_url):
    where = urlsplit(nats_url)
    seen = await ask("nats", host=where.hostname, port=where.port or 4222)
    assert (seen.verdict, seen.message) == (Verdict.UP, f"NATS {seen.facts['version']} answers")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, authority):
    """A server with a user, TLS, JetStream and monitoring: its two ports."""
    binary = servers.require_program("nats-server")
    folder = tmp_path_factory.mktemp("nats")
    client, monitoring = peers.closed_port(), peers.closed_port()
    issued = authority.issue(HERE)
    config = folder / "nats.conf"
    config.write_text(f"""
        listen: "{HERE}:{client}"
        http: "{HERE}:{monitoring}"
        max_connections: 10
        jetstream {{ store_dir: "{folder}/js" }}
        tls {{ cert_file: "{issued.cert_file}", key_file: "{issued.key_file}" }}
        accounts {{
          A {{ jetstream: enabled, users: [ {{ user: "scott", password: "s3cret-pa55" }} ] }}
          B {{ users: [ {{ user: "plain", password: "s3cret-pa55" }} ] }}
        }}
    """)
    with servers.running([binary, "-c", str(config)], client, folder / "log"):
        yield client, monitoring


def fields(authority, port, user="scott", **more):
    tls = {"ca_file": authority.file}
    return {"host": HERE, "port": port, "username": user, "password": "${env:PASSWORD}", "tls": tls, **more}


@pytest.mark.service
async def test_log_in_tls_jetstream_and_monitoring(ask, guarded, authority):
    client, monitoring = guarded
    url = f"http://{HERE}:{monitoring}"
    seen = await ask("nats", **fields(authority, client, jetstream=True, monitoring_url=url))
    assert seen.verdict is Verdict.UP
    assert seen.phases.tls_s is not None
    assert (seen.facts["streams"], seen.facts["slow_consumers"]) == (0, 0)
    crowded = await ask("nats", **fields(authority, client, monitoring_url=url, connections={"warn": 0}))
    assert crowded.verdict in {Verdict.UP, Verdict.DEGRADED}  # our own connection may be gone by then


@pytest.mark.service
async def test_an_account_without_jetstream_is_down_when_it_must_have_it(ask, guarded, authority):
    client, _ = guarded
    without = await ask("nats", **fields(authority, client, user="plain"))
    wanted = await ask("nats", **fields(authority, client, user="plain", jetstream=True))
    assert without.verdict is Verdict.UP
    assert wanted.verdict is Verdict.DOWN
    assert wanted.message.startswith("expected JetStream to be enabled for this account, found ")


@pytest.mark.service
async def test_a_wrong_password_is_down(ask, guarded, authority):
    client, _ = guarded
    seen = await ask("nats", **{**fields(authority, client), "password": "${env:TOKEN}"})
    assert (seen.verdict, seen.message) == (Verdict.DOWN, "the server refused: 'Authorization Violation'")


@pytest.mark.service
async def test_tls_that_the_server_demands_is_verified_even_when_not_asked_for(ask, guarded):
    client, _ = guarded
    seen = await ask("nats", host=HERE, port=client)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith("the certificate is not trusted")


def nats(*after: bytes, **info):
    """Greet with `info`, then say `after`, one part per request of the client."""
    greeting = {"server_id": "x", "version": "2.10.0", "headers": True, **info}

    async def talk(reader, writer):
        writer.write(b"INFO " + json.dumps(greeting).encode() + b"\r\n")
        for part in after:
            await reader.read(4096)
            writer.write(part)
        await reader.read(-1)

    return talk


PONG = b"PONG\r\n"


@pytest.mark.parametrize(
    ("talk", "more", "verdict", "message"),
    [
        (nats(PONG), {}, Verdict.UP, "NATS 2.10.0 answers"),
        (nats(b"+OK\r\nPING\r\nINFO {}\r\npong\r\n"), {}, Verdict.UP, "NATS 2.10.0 answers"),
        (
            nats(PONG, ldm=True),
            {},
            Verdict.DEGRADED,
            "the server is in lame duck mode: it is about to stop",
        ),
        (
            nats(PONG, b"MSG _INBOX.x 1 12\r\n" + b'{"streams":3' + b"\r\n"),
            {"jetstream": True},
            Verdict.DOWN,
            "the answer of JetStream is not JSON",
        ),
        (
            nats(PONG, b'MSG _INBOX.x 1 50\r\n{"error":{"code":503,"description":"not enabled"}} \r\n'),
            {"jetstream": True},
            Verdict.DOWN,
            "expected JetStream to be enabled for this account, found not enabled",
        ),
        (
            nats(PONG, b"HMSG _INBOX.x 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"),
            {"jetstream": True},
            Verdict.DOWN,
            "expected JetStream to be enabled for this account, found that nothing answers for it",
        ),
        (
            nats(PONG, b"MSG _INBOX.x 1 lots\r\n"),
            {"jetstream": True},
            Verdict.DOWN,
            'expected a message of JetStream, found "MSG _INBOX.x 1 lots"',
        ),
        (
            nats(b"-ERR 'maximum connections exceeded'\r\n"),
            {},
            Verdict.DOWN,
            "the server refused: 'maximum connections exceeded'",
        ),
        (nats(b"what?\r\n"), {}, Verdict.DOWN, 'expected PONG, found "what?"'),
        (nats(b"+OK\r\n" * 500), {}, Verdict.DOWN, "expected PONG, found something else for 100 lines"),
        (
            peers.says(b"SSH-2.0-OpenSSH\r\n"),
            {},
            Verdict.DOWN,
            'expected the greeting of NATS, found "SSH-2.0-OpenSSH"',
        ),
        (peers.says(b"INFO [1]\r\n"), {}, Verdict.DOWN, 'expected the greeting of NATS, found "INFO [1]"'),
        (peers.says(b"INFO {\r\n"), {}, Verdict.DOWN, 'expected the greeting of NATS, found "INFO {"'),
        (
            peers.says(b"INFO " + b"x" * 100_000),
            {},
            Verdict.DOWN,
            "a line longer than 64.0 KiB while waiting for the greeting",
        ),
        (
            peers.says(b""),
            {},
            Verdict.DOWN,
            "the server closed the connection while waiting for the greeting",
        ),
    ],
)
async def test_what_a_server_says_is_judged(ask, talk, more, verdict, message):
    async with peers.peer(talk) as port:
        seen = await ask("nats", host=HERE, port=port, timeout_s=1, **more)
    assert (seen.verdict, seen.message) == (verdict, message)


def page(document, status="200 OK"):
    return http(json.dumps(document), status)


@pytest.mark.parametrize(
    ("table", "verdict", "message"),
    [
        (
            {"/healthz": page({"status": "ok"}), "/varz": page({"slow_consumers": 4, "connections": 9})},
            Verdict.DEGRADED,
            "expected a number of slow consumers of at most 0, found 4",
        ),
        (
            {
                "/healthz": page({"status": "unavailable", "error": "JS"}, "503 Service Unavailable"),
                "/varz": page({"connections": 97, "max_connections": 100}),
            },
            Verdict.DOWN,
            (
                'the server says that it is not healthy: "{"status": "unavailable", "error": "JS"}"; '
                "expected a connection share of at most 95%, found 97%"
            ),
        ),
        ({"/varz": http("<html>")}, Verdict.DOWN, 'expected JSON, found "<html>" with status 200'),
    ],
)
async def test_what_the_monitoring_port_says_is_judged(ask, table, verdict, message):
    async with peers.peer(nats(PONG)) as port, peers.peer(routes(table)) as monitoring:
        seen = await ask(
            "nats",
            host=HERE,
            port=port,
            monitoring_url=f"http://{HERE}:{monitoring}",
            slow_consumers={"warn": 0},
        )
    assert (seen.verdict, seen.message) == (verdict, message)
