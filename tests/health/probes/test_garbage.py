"""Whatever bytes a server sends, an attempt ends in time with a verdict and never with an exception."""

from __future__ import annotations

import json
import random
import struct

import h2.config
import h2.connection
import pytest

from fixtures import peers
from fixtures.peers import http
from health.probes import test_mysql, test_postgres, test_rabbitmq, test_redis
from health.probes.conftest import build, resolve_secret
from holdfast.health.probes import ProbeContext
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"
ROUNDS = 12


def over_http2(headers, body, trailers=()):
    """Give what a server sends when it answers the first request of a connection."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    names = {":method": "POST", ":scheme": "http", ":authority": "a", ":path": "/"}
    client.send_headers(1, list(names.items()), end_stream=True)
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    server.receive_data(client.data_to_send())
    server.send_headers(1, headers)
    server.send_data(1, body, end_stream=not trailers)
    if trailers:
        server.send_headers(1, list(trailers), end_stream=True)
    return server.data_to_send()


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


OK = [(":status", "200"), ("content-type", "application/grpc")]
SERVING = b"\0\0\0\0\2\x08\1"
DOCUMENT = json.dumps({"status": "green", "database": "ok", "number_of_nodes": 3})
KAFKA = struct.pack(">iiihiihii", 0, 1, 1, 1, 0, 0, 0, 0, 0) * 3
# What each server says, one part after each thing that the client says; an empty first part lets it speak first.
CONVERSATIONS = {
    "http": ([http(DOCUMENT, Content_Type="application/json")], {"expect": {"json": [{"path": "$.status"}]}}),
    "http 2": ([over_http2(OK, b"hello")], {"http_version": "2"}),
    "grpc": ([over_http2(OK, SERVING, [("grpc-status", "0")])], {}),
    "elasticsearch": ([http(DOCUMENT)], {}),
    "grafana": ([http(DOCUMENT)], {}),
    "kibana": ([http(json.dumps({"status": {"overall": {"level": "degraded"}, "core": {"a": {}}}}))], {}),
    "kubernetes": ([http(json.dumps({"items": [{"metadata": {}, "status": {"conditions": [{}]}}]}))], {}),
    "redis": ([b"+PONG\r\n", bulk(test_redis.HEALTHY)], {}),
    "nats": (
        [b'INFO {"version":"1"}\r\n', b"PONG\r\n", b'MSG _INBOX.x 1 13\r\n{"streams":3}\r\n'],
        {"jetstream": True},
    ),
    "rabbitmq": ([test_rabbitmq.START, test_rabbitmq.TUNE, test_rabbitmq.OPEN], {}),
    "mysql": ([test_mysql.packet(test_mysql.GREETING), test_mysql.packet(b"\0\0\0\2\0\0\0", 2)], {}),
    "postgres": ([test_postgres.AUTH_OK, test_postgres.message(b"T", b"\0\1a\0" + b"\0" * 18)], {}),
    "kafka": ([struct.pack(">i", len(KAFKA)) + KAFKA], {}),
    "ssh": ([b"SSH-2.0-OpenSSH_9.2 Debian\r\n"], {}),
    "tls": ([b"\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03" + b"\x07" * 43], {}),
}
SPEAKS_FIRST = {"nats", "mysql", "ssh"}
BY_URL = {"http", "elasticsearch", "grafana", "kibana", "kubernetes"}


def spoil(data: bytes, dice: random.Random) -> bytes:
    """Change, drop or add some bytes."""
    spoilt = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(spoilt) + 1)
        kind = dice.random()
        if kind < 0.6:
            spoilt[at : at + 1] = dice.randbytes(1)
        elif kind < 0.8:
            del spoilt[at : at + dice.randint(1, 8)]
        else:
            spoilt[at:at] = dice.randbytes(dice.randint(1, 8))
    return bytes(spoilt)


def says_in_turn(parts, *, first):
    async def talk(reader, writer):
        for position, part in enumerate(parts):
            if position or not first:
                await reader.read(4096)
            writer.write(part)
            await writer.drain()
        await reader.read(-1)

    return talk


@pytest.mark.parametrize("conversation", CONVERSATIONS)
async def test_spoilt_answers_end_in_a_verdict(conversation):
    parts, fields = CONVERSATIONS[conversation]
    kind = conversation.split()[0]
    dice = random.Random(conversation)  # the same every time, so that a failure can be found again
    for _ in range(ROUNDS):
        spoilt = [spoil(part, dice) if dice.random() < 0.7 else part for part in parts]
        async with peers.peer(says_in_turn(spoilt, first=kind in SPEAKS_FIRST)) as port:
            place = {"url": f"http://{HERE}:{port}"} if kind in BY_URL else {"host": HERE, "port": port}
            place = {"brokers": [f"{HERE}:{port}"]} if kind == "kafka" else place
            seen = await build(kind, **place, **fields).observe(ProbeContext(0.1, resolve_secret))
        assert seen.verdict in set(Verdict)
        assert seen.message
        assert seen.message.isprintable()
        assert seen.duration_s < 20
