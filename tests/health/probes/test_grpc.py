"""The grpc kind against the gRPC library's own server, and against servers that are none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import h2.config
import h2.connection
import h2.events
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from fixtures import peers
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"
Status = health_pb2.HealthCheckResponse


@pytest.fixture
def servicer():
    servicer = health.HealthServicer()
    servicer.set("shop.Inventory", Status.NOT_SERVING)
    servicer.set("shop." + "long" * 50, Status.SERVING)
    return servicer


@pytest.fixture
def server(servicer):
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        yield server
        server.stop(None).wait(30)


@pytest.fixture
def port(server):
    port = server.add_insecure_port(f"{HERE}:0")
    server.start()
    return port


async def test_a_serving_server_is_up(ask, port):
    seen = await ask("grpc", host=HERE, port=port)
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith("the server is SERVING, said in ")
    assert seen.facts == {"health": "SERVING"}
    assert seen.phases.first_byte_s is not None


async def test_a_service_is_asked_for_by_name(ask, port):
    known = await ask("grpc", host=HERE, port=port, service="shop." + "long" * 50)
    down = await ask("grpc", host=HERE, port=port, service="shop.Inventory")
    strange = await ask("grpc", host=HERE, port=port, service="nope")
    assert known.verdict is Verdict.UP
    assert (down.verdict, down.message) == (
        Verdict.DOWN,
        'expected service "shop.Inventory" to be SERVING, found NOT_SERVING',
    )
    assert (strange.verdict, strange.message) == (Verdict.DOWN, 'the server does not know a service "nope"')


async def test_a_status_of_unknown_is_not_serving(ask, port, servicer):
    servicer.set("", Status.UNKNOWN)
    seen = await ask("grpc", host=HERE, port=port)
    assert (seen.verdict, seen.message) == (Verdict.DOWN, "expected the server to be SERVING, found UNKNOWN")


def credentials(issued):
    return grpc.ssl_server_credentials([(Path(issued.key_file).read_bytes(), Path(issued.cert_file).read_bytes())])


async def test_tls_is_spoken_and_verified(ask, server, authority):
    issued = authority.issue("localhost")
    port = server.add_secure_port(f"{HERE}:0", credentials(issued))
    server.start()
    tls = {"ca_file": authority.file, "server_name": "localhost"}
    trusted = await ask("grpc", host=HERE, port=port, tls=tls)
    untrusted = await ask("grpc", host=HERE, port=port, tls=True)
    assert trusted.verdict is Verdict.UP
    assert trusted.phases.tls_s is not None
    assert untrusted.message.startswith("the certificate is not trusted")


async def test_a_server_without_a_health_service_says_so(ask):
    with ThreadPoolExecutor(1) as threads:
        bare = grpc.server(threads)
        port = bare.add_insecure_port(f"{HERE}:0")
        bare.start()
        seen = await ask("grpc", host=HERE, port=port)
        bare.stop(None).wait(30)
    assert (seen.verdict, seen.message) == (
        Verdict.DOWN,
        "the server has no health service (grpc.health.v1)",
    )


def replays(headers, body=b"", trailers=None):
    """Answer the first request with these frames and note its metadata."""

    async def talk(reader, writer):
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    replays.asked = dict(event.headers)
                if isinstance(event, h2.events.StreamEnded):
                    connection.send_headers(1, headers, end_stream=not (body or trailers))
                    if body:
                        connection.send_data(1, body, end_stream=not trailers)
                    if trailers:
                        connection.send_headers(1, trailers, end_stream=True)
            writer.write(connection.data_to_send())

    return talk


OK = [(":status", "200"), ("content-type", "application/grpc")]


@pytest.mark.parametrize(
    ("talk", "message"),
    [
        (replays([(":status", "404")]), "expected a gRPC answer, found HTTP status 404 Not Found"),
        (replays(OK), "the answer carries no gRPC status"),
        (
            replays([*OK, ("grpc-status", "16"), ("grpc-message", "who%20are you?")]),
            "the health call failed with UNAUTHENTICATED: who are you?",
        ),
        (
            replays(OK, b"\0\0\0\0\x09", [("grpc-status", "0")]),
            "the answer is not one uncompressed gRPC message",
        ),
        (replays(OK, b"\0\0\0\0\x02\x12\x01", [("grpc-status", "0")]), "the answer is not a HealthCheckResponse"),
        (replays(OK, b"\0\0\0\0\x00", [("grpc-status", "0")]), "expected the server to be SERVING, found UNKNOWN"),
        (peers.answers(peers.http("hi")), "the answer is not HTTP/2: the server speaks HTTP/1"),
    ],
)
async def test_a_wrong_answer_is_down_and_says_how(ask, talk, message):
    async with peers.peer(talk) as port:
        seen = await ask("grpc", host=HERE, port=port)
    assert (seen.verdict, seen.message) == (Verdict.DOWN, message)


async def test_metadata_carries_secrets_that_are_not_shown(ask):
    async with peers.peer(replays([*OK, ("grpc-status", "7"), ("grpc-message", "t0ken-of-tests no")])) as port:
        seen = await ask("grpc", host=HERE, port=port, metadata={"Authorization": "Bearer ${env:TOKEN}"})
    assert replays.asked[b"authorization"] == b"Bearer t0ken-of-tests"
    assert seen.message == "the health call failed with PERMISSION_DENIED: *** no"
