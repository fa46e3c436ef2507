"""The rabbitmq kind against a real broker, and against what a broken one may say."""

from __future__ import annotations

import asyncio
import json
import uuid
from urllib.parse import unquote, urlsplit

import aio_pika
import pytest
from pamqp import commands, frame

from fixtures import peers
from fixtures.peers import http, routes
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"


@pytest.fixture
def broker(rabbitmq_url):
    """The fields that name the shared broker."""
    where = urlsplit(rabbitmq_url)
    return {"host": where.hostname, "port": where.port or 5672, "username": unquote(where.username or "guest")}


async def test_a_broker_is_up(ask, broker):
    seen = await ask("rabbitmq", **broker)
    assert (seen.verdict, seen.message) == (Verdict.UP, f"RabbitMQ {seen.facts['version']} answers")
    assert str(seen.facts["cluster_name"]).startswith("rabbit@")


async def test_queues_are_looked_at_without_being_changed(ask, broker, rabbitmq_url):
    name = f"holdfast-test-{uuid.uuid4().hex}"
    connection = await aio_pika.connect(rabbitmq_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(name, exclusive=False, auto_delete=False)
        try:
            for _ in range(3):
                await channel.default_exchange.publish(aio_pika.Message(b"x"), routing_key=name)
            seen = await ask(
                "rabbitmq",
                **broker,
                queues=[
                    {"name": name, "messages": {"warn": 2}},
                    {"name": f"{name}-missing"},
                    {"name": name, "min_consumers": 1},
                ],
            )
            again = await channel.declare_queue(name, passive=True)
        finally:
            await queue.delete(if_unused=False, if_empty=False)
    assert seen.verdict is Verdict.DOWN
    missing, idle, deep = seen.message.split("; ")
    assert missing.startswith(f'expected queue "{name}-missing", found NOT_FOUND')
    assert idle == f'expected at least 1 consumers of queue "{name}", found 0'
    assert deep == f'expected a depth of queue "{name}" of at most 2, found 3'
    assert again.declaration_result.message_count == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"password": "${env:PASSWORD}"}, "the broker refused: ACCESS_REFUSED - Login was refused"),
        ({"vhost": "nowhere"}, "the broker refused: NOT_ALLOWED - "),
    ],
)
async def test_a_refusal_is_down_with_the_brokers_words(ask, broker, fields, message):
    seen = await ask("rabbitmq", **broker, **fields)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith(message)
    assert "s3cret" not in seen.message


def replays(*answers):
    """Answer the protocol header and each later write of the client with the next of these bytes."""

    async def talk(reader, writer):
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
            await writer.drain()
        await reader.read(-1)

    return talk


def method(command, channel=0):
    return frame.marshal(command, channel)


START = method(
    commands.Connection.Start(
        server_properties={"product": "RabbitMQ", "version": "4.0.2"}, mechanisms="PLAIN", locales="en_US"
    )
)
TUNE = method(commands.Connection.Tune(2047, 131072, 60))
OPEN = method(commands.Connection.OpenOk())
BLOCKED = method(commands.Connection.Blocked("low on memory"))


@pytest.mark.parametrize(
    ("talk", "verdict", "message"),
    [
        (replays(START, TUNE, OPEN), Verdict.UP, "RabbitMQ 4.0.2 answers"),
        (replays(START, TUNE, BLOCKED + OPEN), Verdict.UP, "RabbitMQ 4.0.2 answers"),
        (
            replays(b"AMQP\x00\x01\x00\x00"),
            Verdict.DOWN,
            "the broker speaks another AMQP, 0.1.0 instead of 0.9.1",
        ),
        (replays(b"HTTP/1.1 400 Bad Request\r\n"), Verdict.DOWN, 'expected an AMQP frame, found "HTTP/1."'),
        (replays(b"\x01\x00\x00\xff\xff\xff\xff"), Verdict.DOWN, 'expected an AMQP frame, found "'),
        (
            replays(b"\x01\x00\x00\x00\x00\x00\x04\xff\xff\xff\xff\xce"),
            Verdict.DOWN,
            "an AMQP frame cannot be read: ",
        ),
        (replays(START[:30] + b"\xff" * (len(START) - 30)), Verdict.DOWN, "an AMQP frame cannot be read: "),
        (
            replays(START[:40]),
            Verdict.DOWN,
            "no verdict within 500ms: stopped while waiting for the AMQP greeting",
        ),
        (replays(TUNE * 200), Verdict.DOWN, "expected Connection.Start, found something else for 100 frames"),
        (peers.says(b""), Verdict.DOWN, "the server closed the connection while waiting for the AMQP greeting"),
        (peers.resets, Verdict.DOWN, "connection reset by peer while waiting for the AMQP greeting"),
    ],
)
async def test_what_a_broker_says_is_judged(ask, talk, verdict, message):
    async with peers.peer(talk) as port:
        seen = await ask("rabbitmq", host=HERE, port=port, timeout_s=0.5)
    assert seen.verdict is verdict
    assert seen.message.startswith(message) or (talk is not peers.resets and "reset by peer" in seen.message)


async def test_a_slow_drip_is_down(ask):
    async def drip(reader, writer):
        await reader.read(8)
        for byte in START:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.01)

    async with peers.peer(drip) as port:
        seen = await ask("rabbitmq", host=HERE, port=port, timeout_s=0.2)
    assert seen.message == "no verdict within 200ms: stopped while waiting for the AMQP greeting"


@pytest.mark.parametrize(
    ("nodes", "verdict", "message"),
    [
        ([{"name": "rabbit@a", "running": True}], Verdict.UP, "RabbitMQ 4.0.2 answers"),
        (
            [
                {"name": "rabbit@a", "running": True, "mem_alarm": True, "disk_free_alarm": True},
                {"name": "rabbit@b", "running": False},
                {"name": "rabbit@c", "running": True, "partitions": ["rabbit@a"]},
            ],
            Verdict.DOWN,
            (
                "alarms block publishers: mem on rabbit@a, disk_free on rabbit@a; "
                "the cluster is partitioned, says rabbit@c; nodes that do not run: rabbit@b"
            ),
        ),
        ({"error": "no"}, Verdict.DOWN, "expected a list of objects at nodes, found {'error': 'no'}"),
    ],
)
async def test_alarms_come_from_the_management_api(ask, nodes, verdict, message):
    table = {"/api/nodes": http(json.dumps(nodes))}
    async with peers.peer(replays(START, TUNE, OPEN)) as port, peers.peer(routes(table)) as management:
        url = f"http://{HERE}:{management}"
        seen = await ask("rabbitmq", host=HERE, port=port, management_url=url)
    assert (seen.verdict, seen.message) == (verdict, message)
