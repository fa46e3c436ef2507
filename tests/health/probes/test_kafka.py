"""The kafka kind against a small broker whose messages another project's codec reads and writes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import struct
from contextlib import AsyncExitStack

import pytest
from aiokafka.protocol import admin, commit, coordination, metadata, offset
from hypothesis import given
from hypothesis import strategies as st

from fixtures import peers
from health.probes.conftest import build
from holdfast.health.probes import Sample
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.products.kafka_wire import Reader
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import ConfigError

HERE = "127.0.0.1"
REQUESTS = {
    (2, 1): offset.OffsetRequest_v1,
    (3, 4): metadata.MetadataRequest_v4,
    (9, 2): commit.OffsetFetchRequest_v2,
    (10, 1): coordination.FindCoordinatorRequest_v1,
    (17, 1): admin.SaslHandShakeRequest_v1,
    (36, 0): admin.SaslAuthenticateRequest_v0,
}
# Topic, partition, leader, replicas, in sync.
HEALTHY = (("orders", 0, 1, [1, 2], [1, 2]), ("orders", 1, 2, [1, 2], [2, 1]))


class Broker:
    """One cluster behind one port: every broker id leads back to it."""

    def __init__(self, partitions=HEALTHY, *, brokers=2, password="", digest="sha256", ends=None, committed=None):
        self.partitions = partitions
        self.brokers = brokers
        self.password = password
        self.digest = digest
        self.ends = ends or {}
        self.committed = committed or {}
        self.topic_errors: dict[str, int] = {}
        self.group_error = 0
        self.coordinator_error = 0
        self.port = 0
        self.asked: list[object] = []

    async def talk(self, reader, writer):
        state: dict[str, bytes] = {}
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            raw = io.BytesIO(await reader.readexactly(size))
            api, version, number, length = struct.unpack(">hhih", raw.read(10))
            assert raw.read(length) == b"holdfast"
            request = REQUESTS[api, version].decode(raw)
            assert not raw.read(), "the request is longer than its schema"
            self.asked.append(request)
            answer = getattr(self, f"answer_{api}")(request, state).encode()
            writer.write(struct.pack(">ii", len(answer) + 4, number) + answer)

    def answer_3(self, request, _):
        names = request.topics if request.topics is not None else sorted({part[0] for part in self.partitions})
        topics = []
        for name in names:
            parts = [(0, n, leader, replicas, isr) for t, n, leader, replicas, isr in self.partitions if t == name]
            error = self.topic_errors.get(name, 0 if parts else 3)
            topics.append((error, name, False, [] if error else parts))
        brokers = [(number, HERE, self.port, None) for number in range(1, self.brokers + 1)]
        return metadata.MetadataResponse_v4(0, brokers, "the-cluster", 1, topics)

    def answer_10(self, *_):
        return coordination.FindCoordinatorResponse_v1(0, self.coordinator_error, "busy", 1, HERE, self.port)

    def answer_9(self, *_):
        topics = {}
        for (name, number), at in self.committed.items():
            topics.setdefault(name, []).append((number, at, "note", 0))
        return commit.OffsetFetchResponse_v2(list(topics.items()), self.group_error)

    def answer_2(self, request, _):
        return offset.OffsetResponse_v1(
            [
                (name, [(number, 0, -1, self.ends.get((name, number), 0)) for number, _ in numbers])
                for name, numbers in request.topics
            ]
        )

    def answer_17(self, request, state):
        offered = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
        return admin.SaslHandShakeResponse_v1(0 if request.mechanism in [*offered[1:], "PLAIN"] else 33, offered)

    def answer_36(self, request, state):
        said = request.sasl_auth_bytes
        if said.startswith(b"\0"):
            _, _, password = said.split(b"\0")
            good = password.decode() == self.password
            return admin.SaslAuthenticateResponse_v0(0 if good else 58, None if good else "bad login", b"")
        if said.startswith(b"n,,"):
            state["first"] = said[3:]
            nonce = said.rpartition(b"r=")[2]
            state["challenge"] = b"r=" + nonce + b"server,s=" + base64.b64encode(b"salty") + b",i=64"
            return admin.SaslAuthenticateResponse_v0(0, None, state["challenge"])
        return self.finish_scram(said, state)

    def finish_scram(self, said, state):
        bare, _, proof = said.rpartition(b",p=")
        about = b",".join([state["first"], state["challenge"], bare])
        salted = hashlib.pbkdf2_hmac(self.digest, self.password.encode(), b"salty", 64)
        stored = hashlib.new(self.digest, hmac.digest(salted, b"Client Key", self.digest)).digest()
        mask = hmac.digest(stored, about, self.digest)
        key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), mask, strict=True))
        if hashlib.new(self.digest, key).digest() != stored:
            return admin.SaslAuthenticateResponse_v0(58, "bad login", b"")
        server = hmac.digest(hmac.digest(salted, b"Server Key", self.digest), about, self.digest)
        return admin.SaslAuthenticateResponse_v0(0, None, b"v=" + base64.b64encode(server))


@pytest.fixture
async def look():
    """Serve a broker and make one attempt at it."""
    async with AsyncExitStack() as stack:

        async def run(ask, broker, *, tls=None, **fields):
            broker.port = await stack.enter_async_context(peers.peer(broker.talk, tls=tls))
            return await ask("kafka", brokers=[f"{HERE}:{broker.port}"], **fields)

        yield run


async def test_a_healthy_cluster_is_up(ask, look):
    seen = await look(ask, Broker())
    assert (seen.verdict, seen.message) == (Verdict.UP, "2 brokers, 2 partitions in sync")
    assert seen.facts["cluster_id"] == "the-cluster"
    assert seen.facts["under_replicated_partitions"] == 0


async def test_looking_at_a_missing_topic_does_not_create_it(ask, look):
    broker = Broker()
    seen = await look(ask, broker, topics=["orders", "lost"])
    assert (seen.verdict, seen.message) == (
        Verdict.DOWN,
        'expected topic "lost", found unknown topic or partition',
    )
    assert broker.asked[0].allow_auto_topic_creation is False


@pytest.mark.parametrize(
    ("partitions", "fields", "verdict", "message"),
    [
        (
            (("a", 0, 1, [1, 2, 3], [1]), ("a", 1, 1, [1], [1])),
            {},
            Verdict.DEGRADED,
            "1 partitions lack replicas in sync: a/0",
        ),
        (
            (("a", 0, -1, [1, 2], []),),
            {},
            Verdict.DOWN,
            "1 partitions have no leader: a/0; 1 partitions lack replicas in sync: a/0",
        ),
        (HEALTHY, {"min_brokers": 3}, Verdict.DEGRADED, "expected at least 3 brokers, found 2"),
    ],
)
async def test_what_the_cluster_lacks_is_named(ask, look, partitions, fields, verdict, message):
    seen = await look(ask, Broker(partitions), **fields)
    assert (seen.verdict, seen.message) == (verdict, message)


ENDS = {("orders", 0): 100, ("orders", 1): 50}


async def test_the_lag_of_a_group_is_summed_and_reported(ask, look):
    broker = Broker(ends=ENDS, committed={("orders", 0): 90, ("orders", 1): 55})
    seen = await look(ask, broker, groups=[{"name": "billing", "lag": {"warn": 9, "crit": 50}}])
    assert (seen.verdict, seen.message) == (
        Verdict.DEGRADED,
        'expected a lag of group "billing" of at most 9, found 10',
    )
    assert seen.facts["lag billing"] == 10
    assert seen.samples == (Sample("kafka_consumer_group_lag", 10, {"group": "billing", "topic": "orders"}),)


async def test_a_group_without_offsets_or_coordinator_is_down(ask, look):
    none = await look(ask, Broker(), groups=[{"name": "billing"}])
    broken, denied = Broker(), Broker()
    broken.coordinator_error, denied.group_error = 15, 30
    lost = await look(ask, broken, groups=[{"name": "billing"}])
    refused = await look(ask, denied, groups=[{"name": "billing"}])
    assert none.message == 'expected group "billing" to have committed offsets, found none'
    assert lost.message == "no coordinator for group 'billing': busy"
    assert refused.message == "the offsets of group 'billing' cannot be read: group authorization failed"


@pytest.mark.parametrize(
    ("mechanism", "digest"), [("PLAIN", ""), ("SCRAM-SHA-256", "sha256"), ("SCRAM-SHA-512", "sha512")]
)
async def test_log_in_proves_the_password_and_never_shows_it(ask, look, mechanism, digest):
    sasl = {"username": "a=b,c", "password": "${env:PASSWORD}", "mechanism": mechanism}
    good = await look(ask, Broker(password="s3cret-pa55", digest=digest), sasl=sasl)
    bad = await look(ask, Broker(password="another", digest=digest), sasl=sasl)
    assert good.verdict is Verdict.UP
    assert bad.verdict is Verdict.DOWN
    assert bad.message.endswith("the broker refused the log-in: bad login")


async def test_a_broker_that_does_not_know_the_password_is_not_trusted(ask, look):
    broker = Broker(password="s3cret-pa55")
    good = broker.finish_scram
    broker.finish_scram = lambda *args: admin.SaslAuthenticateResponse_v0(
        0, None, good(*args).sasl_auth_bytes[:-4] + b"AAA="
    )
    sasl = {"username": "me", "password": "${env:PASSWORD}", "mechanism": "SCRAM-SHA-256"}
    seen = await look(ask, broker, sasl=sasl)
    assert seen.message.endswith("the broker did not prove that it knows the password")


async def test_tls_and_the_next_broker_when_the_first_is_gone(ask, authority):
    broker = Broker()
    tls = authority.issue(HERE).server_context()
    async with peers.peer(broker.talk, tls=tls) as port:
        broker.port = port
        gone = f"{HERE}:{peers.closed_port()}"
        options = {"tls": {"ca_file": authority.file}}
        seen = await ask("kafka", brokers=[gone, f"{HERE}:{port}"], **options)
        none = await ask("kafka", brokers=[gone], **options)
    assert (seen.verdict, seen.phases.tls_s is not None) == (Verdict.UP, True)
    assert none.message.startswith(f"no broker answers: {gone}: connection refused")


@pytest.mark.parametrize(
    ("talk", "text"),
    [
        (peers.says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "the answer is not Kafka's, or too large"),
        (peers.says(struct.pack(">i", 2) + b"ab"), "the answer is not Kafka's, or too large"),
        (peers.says(struct.pack(">ii", 8, 7) + b"abcd"), "the answer of Kafka belongs to another request"),
        (peers.says(b""), ""),
        (peers.resets, "connection reset by peer"),
        (peers.says_nothing, "no verdict within 300ms: stopped while reading the metadata of 127.0.0.1:"),
    ],
)
async def test_a_broken_broker_is_down_and_says_how(ask, talk, text):
    async with peers.peer(talk) as port:
        seen = await ask("kafka", brokers=[f"{HERE}:{port}"], timeout_s=0.3)
    assert seen.verdict is Verdict.DOWN
    assert text in seen.message


async def test_a_cut_answer_is_down(ask, look):
    class Cut:
        def __init__(self, inner):
            self.inner = inner

        def encode(self):
            return self.inner.encode()[:-9]

    broker = Broker()
    whole = broker.answer_3
    broker.answer_3 = lambda *args: Cut(whole(*args))
    seen = await look(ask, broker)
    assert seen.message.endswith("an answer of Kafka is shorter than what it announces")


async def test_a_broker_that_advertises_a_metadata_address_is_not_followed(ask, look):
    broker = Broker(committed={("orders", 0): 1})
    broker.answer_10 = lambda *_: coordination.FindCoordinatorResponse_v1(0, 0, "", 1, "169.254.169.254", 80)
    seen = await look(ask, broker, groups=[{"name": "billing"}])
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.message.startswith("will not connect to 169.254.169.254")


async def test_a_broker_that_advertises_an_impossible_place_is_down(ask, look):
    broker = Broker(committed={("orders", 0): 1})
    broker.answer_10 = lambda *_: coordination.FindCoordinatorResponse_v1(0, 0, "", 1, "kafka", 70_000)
    seen = await look(ask, broker, groups=[{"name": "billing"}])
    assert seen.message == "Kafka advertises a broker at 'kafka' port 70000, which cannot be"


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_do_more_than_refuse(data):
    reader = Reader(data)
    try:
        reader.array(lambda: (reader.text(), reader.array(reader.int64)))
    except FaultError:
        return


@pytest.mark.parametrize("broker", ["kafka", "kafka:", ":9092", "kafka:99999"])
def test_a_broker_is_a_host_and_a_port(broker):
    with pytest.raises(ConfigError, match="write a broker as host:port"):
        build("kafka", brokers=[broker])
