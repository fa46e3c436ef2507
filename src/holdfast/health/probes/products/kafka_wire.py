"""The few requests of Kafka's protocol that a check needs, in versions that brokers from 0.11 to 4.x speak.

Source: the protocol guide of Apache Kafka. A client library would bring a cluster client with tasks of its own; here
each question is one request on one connection, timed and bounded like every other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from holdfast.health.probes.faults import FaultError

if TYPE_CHECKING:
    from holdfast.health.probes.network import Wire

T = TypeVar("T")

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_LIST_OFFSETS, _METADATA, _OFFSET_FETCH, _FIND_COORDINATOR, _SASL_HANDSHAKE, _SASL_AUTHENTICATE = 2, 3, 9, 10, 17, 36
_LATEST: Final = -1
ERRORS: Final = {
    3: "unknown topic or partition",
    5: "leader not available",
    15: "coordinator not available",
    16: "not the coordinator",
    29: "topic authorization failed",
    30: "group authorization failed",
    33: "unsupported SASL mechanism",
    58: "SASL authentication failed",
    69: "group id not found",
}


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as the metadata has it; a leader of -1 is none."""

    topic: str
    number: int
    leader: int
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Brokers by id, the cluster's id, partitions, and topics that have an error."""

    name: str
    brokers: dict[int, tuple[str, int]]
    partitions: tuple[Partition, ...]
    errors: dict[str, int]


class Reader:
    """Takes big-endian values off an answer.

    Raises:
        FaultError: the answer is shorter than what it announces.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, form: str, size: int) -> int:
        if self._at + size > len(self._data):
            raise FaultError("an answer of Kafka is shorter than what it announces")
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += size
        return int(value)

    def int8(self) -> int:
        """Take one byte."""
        return self._take(">b", 1)

    def int16(self) -> int:
        """Take two bytes."""
        return self._take(">h", 2)

    def int32(self) -> int:
        """Take four bytes."""
        return self._take(">i", 4)

    def int64(self) -> int:
        """Take eight bytes."""
        return self._take(">q", 8)

    def bytes(self, size: int) -> bytes:
        """Take `size` bytes; a negative size is none."""
        if self._at + max(0, size) > len(self._data):
            raise FaultError("an answer of Kafka is shorter than what it announces")
        start = self._at
        self._at += max(0, size)
        return self._data[start : self._at]

    def text(self) -> str:
        """Take a string; a null one is empty."""
        return self.bytes(self.int16()).decode("utf-8", "replace")

    def place(self) -> tuple[str, int]:
        """Take a host and a port."""
        host, port = self.text(), self.int32()
        if not host or not 0 < port < 65_536:
            raise FaultError(f"Kafka advertises a broker at {host[:60]!r} port {port}, which cannot be")
        return host, port

    def array(self, item: Callable[[], T]) -> list[T]:
        """Take an array; a null one is empty."""
        return [item() for _ in range(max(0, self.int32()))]


def _text(value: str | None) -> bytes:
    encoded = b"" if value is None else value.encode()
    return struct.pack(">h", -1 if value is None else len(encoded)) + encoded


def _array(items: Iterable[bytes]) -> bytes:
    every = list(items)
    return struct.pack(">i", len(every)) + b"".join(every)


async def _request(wire: Wire, api: int, version: int, body: bytes) -> Reader:
    number = int.from_bytes(os.urandom(3), "big")
    head = struct.pack(">hhi", api, version, number) + _text("holdfast")
    wire.send(struct.pack(">i", len(head) + len(body)) + head + body)
    size = int.from_bytes(await wire.receive_exactly(4), "big")
    if not 4 <= size <= MAX_ANSWER_BYTES:
        raise FaultError(f"the answer is not Kafka's, or too large: it announces {size} bytes")
    answer = Reader(await wire.receive_exactly(size))
    if answer.int32() != number:
        raise FaultError("the answer of Kafka belongs to another request")
    return answer


async def read_metadata(wire: Wire, topics: tuple[str, ...]) -> Cluster:
    """Ask for brokers and partitions (Metadata 4), of all topics when none is named; creates no topic."""
    wanted = _array(_text(topic) for topic in topics) if topics else struct.pack(">i", -1)
    answer = await _request(wire, _METADATA, 4, wanted + b"\0")
    answer.int32()  # throttle time

    def broker() -> tuple[int, tuple[str, int]]:
        found = answer.int32(), answer.place()
        answer.text()  # rack
        return found

    brokers = dict(answer.array(broker))
    name = answer.text()
    answer.int32()  # controller
    partitions: list[Partition] = []
    errors: dict[str, int] = {}

    def topic() -> None:
        error, title, _ = answer.int16(), answer.text(), answer.int8()
        if error:
            errors[title] = error

        def partition() -> None:
            _, number, leader = answer.int16(), answer.int32(), answer.int32()
            replicas, in_sync = len(answer.array(answer.int32)), len(answer.array(answer.int32))
            partitions.append(Partition(title, number, leader, replicas, in_sync))

        answer.array(partition)

    answer.array(topic)
    return Cluster(name, brokers, tuple(partitions), errors)


async def find_coordinator(wire: Wire, group: str) -> tuple[str, int]:
    """Ask which broker keeps a group's offsets (FindCoordinator 1)."""
    answer = await _request(wire, _FIND_COORDINATOR, 1, _text(group) + b"\0")
    answer.int32()  # throttle time
    error, said = answer.int16(), answer.text()
    if error:
        raise FaultError(f"no coordinator for group {group!r}: {said or describe(error)}")
    answer.int32()  # node
    return answer.place()


async def read_committed(wire: Wire, group: str) -> dict[tuple[str, int], int]:
    """Ask for the offsets that a group has committed (OffsetFetch 2); -1 is left out."""
    answer = await _request(wire, _OFFSET_FETCH, 2, _text(group) + struct.pack(">i", -1))
    offsets: dict[tuple[str, int], int] = {}

    def topic() -> None:
        title = answer.text()

        def partition() -> None:
            number, offset, _, _ = answer.int32(), answer.int64(), answer.text(), answer.int16()
            if offset >= 0:
                offsets[title, number] = offset

        answer.array(partition)

    answer.array(topic)
    error = answer.int16()
    if error:
        raise FaultError(f"the offsets of group {group!r} cannot be read: {describe(error)}")
    return offsets


async def read_ends(wire: Wire, partitions: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Ask a leader for the ends of its partitions (ListOffsets 1); those with an error are left out."""
    titles = sorted({title for title, _ in partitions})
    asked = _array(
        _text(title) + _array(struct.pack(">iq", number, _LATEST) for topic, number in partitions if topic == title)
        for title in titles
    )
    answer = await _request(wire, _LIST_OFFSETS, 1, struct.pack(">i", -1) + asked)
    ends: dict[tuple[str, int], int] = {}

    def topic() -> None:
        title = answer.text()

        def partition() -> None:
            number, error, _, offset = answer.int32(), answer.int16(), answer.int64(), answer.int64()
            if not error:
                ends[title, number] = offset

        answer.array(partition)

    answer.array(topic)
    return ends


async def log_in(wire: Wire, mechanism: str, username: str, password: str) -> None:
    """Authenticate with SASL PLAIN (RFC 4616) or SCRAM (RFC 5802).

    Raises:
        FaultError: the broker refused, or failed to prove that it knows the password.
    """
    answer = await _request(wire, _SASL_HANDSHAKE, 1, _text(mechanism))
    error = answer.int16()
    if error:
        offered = ", ".join(answer.array(answer.text))
        raise FaultError(f"the broker takes no {mechanism}, but {offered or 'nothing'}")
    if mechanism == "PLAIN":
        await _authenticate(wire, f"\0{username}\0{password}".encode())
        return
    await _scram(wire, mechanism.removeprefix("SCRAM-").replace("-", "").lower(), username, password)


async def _scram(wire: Wire, digest: str, username: str, password: str) -> None:
    nonce = base64.b64encode(os.urandom(18)).decode()
    named = username.replace("=", "=3D").replace(",", "=2C")
    first = f"n={named},r={nonce}"
    challenge = (await _authenticate(wire, f"n,,{first}".encode())).decode("utf-8", "replace")
    parts = dict(part.split("=", 1) for part in challenge.split(",") if "=" in part)
    rounds = parts.get("i", "")
    if not parts.get("r", "").startswith(nonce) or not rounds.isdecimal() or not 1 <= int(rounds) <= 200_000:
        raise FaultError("the broker's SCRAM challenge is not valid")
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), _decode(parts.get("s", "")), int(rounds))
    last = f"c=biws,r={parts['r']}"
    about = f"{first},{challenge},{last}".encode()
    client_key = hmac.digest(salted, b"Client Key", digest)
    signature = hmac.digest(hashlib.new(digest, client_key).digest(), about, digest)
    proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
    final = await _authenticate(wire, f"{last},p={base64.b64encode(proof).decode()}".encode())
    expected = hmac.digest(hmac.digest(salted, b"Server Key", digest), about, digest)
    if not hmac.compare_digest(final, b"v=" + base64.b64encode(expected)):
        raise FaultError("the broker did not prove that it knows the password")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise FaultError("the broker's SCRAM challenge is not valid") from None


async def _authenticate(wire: Wire, data: bytes) -> bytes:
    answer = await _request(wire, _SASL_AUTHENTICATE, 0, struct.pack(">i", len(data)) + data)
    error, said = answer.int16(), answer.text()
    if error:
        raise FaultError(f"the broker refused the log-in: {said or describe(error)}")
    return answer.bytes(answer.int32())


def describe(error: int) -> str:
    """Give an error code in words."""
    return ERRORS.get(error, f"error {error}")
