"""What products say first, or answer to a question that does no harm. Pure: bytes in, names out.

Questions go from the harmless to the odd, because some products log what they do not understand.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Recognised:
    """A protocol and the product behind it.

    `version` is what it says of itself; `paths` are addresses of a web server that tell its health, with their status.
    """

    protocol: str
    product: str = ""
    version: str = ""
    needs_login: bool = False
    is_tls: bool = False
    paths: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Give the product, or the protocol where the product is unknown."""
        return self.product or self.protocol


def recognise_greeting(greeting: bytes) -> Recognised | None:
    """Recognise a product that speaks first."""
    if greeting.startswith(b"SSH-"):
        software = greeting.split(b"\r\n", 1)[0].decode("ascii", "replace")[8:]
        name, _, version = software.partition("_")
        return Recognised("ssh", name.lower(), version)
    if greeting.startswith(b"INFO {"):
        said = re.search(rb'"version"\s*:\s*"([^"]{1,40})"', greeting)
        return Recognised("nats", "nats", _text(said), needs_login=b'"auth_required":true' in greeting)
    if len(greeting) > 5 and greeting[3:5] == b"\x00\x0a":
        version_text = greeting[5:].split(b"\x00", 1)[0].decode("ascii", "replace")
        product = "mariadb" if "mariadb" in version_text.lower() else "mysql"
        return Recognised("mysql", product, version_text.removeprefix("5.5.5-"))
    if len(greeting) > 7 and greeting[3:5] == b"\x00\xff":
        return Recognised("mysql", "mysql", needs_login=True)
    for start, protocol in ((b"220 ", "smtp"), (b"+OK", "pop3"), (b"* OK", "imap")):
        if greeting.startswith(start):
            is_ftp = protocol == "smtp" and b"ftp" in greeting[:200].lower()
            return Recognised("ftp" if is_ftp else protocol)
    return None


def recognise_redis(answer: bytes) -> Recognised | None:
    """Recognise the answer to `PING`."""
    if answer.startswith(b"+PONG"):
        return Recognised("redis", "redis")
    if answer.startswith((b"-NOAUTH", b"-DENIED")):
        return Recognised("redis", "redis", needs_login=True)
    return None


def recognise_postgres(answer: bytes) -> Recognised | None:
    """Recognise the one byte that answers an SSLRequest."""
    return Recognised("postgres", "postgresql") if answer in {b"S", b"N"} else None


def recognise_amqp(answer: bytes) -> Recognised | None:
    """Recognise AMQP 0-9-1's Connection.Start, or the header that a server of another version sends back."""
    if answer.startswith(b"AMQP"):
        return Recognised("amqp")
    if answer[:1] != b"\x01" or answer[7:11] != b"\x00\x0a\x00\x0a":
        return None
    product, version = _amqp_text(answer, b"product"), _amqp_text(answer, b"version")
    return Recognised("amqp", product.lower(), version)


def _amqp_text(table: bytes, key: bytes) -> str:
    start = table.find(bytes([len(key)]) + key + b"S")
    if start < 0:
        return ""
    start += len(key) + 2
    (length,) = struct.unpack(">I", table[start : start + 4])
    return table[start + 4 : start + 4 + min(length, 60)].decode("utf-8", "replace")


def recognise_mqtt(answer: bytes) -> Recognised | None:
    """Recognise a CONNACK, with the reason to refuse us if there is one."""
    if len(answer) < 4 or answer[:1] != b"\x20":
        return None
    return Recognised("mqtt", "mqtt", needs_login=answer[3] in {4, 5})


def recognise_memcached(answer: bytes) -> Recognised | None:
    """Recognise the answer to `version`."""
    if not answer.startswith(b"VERSION "):
        return None
    return Recognised("memcached", "memcached", answer[8:60].split(b"\r\n")[0].decode("ascii", "replace"))


def recognise_http2(answer: bytes) -> Recognised | None:
    """Recognise a SETTINGS frame: a server that speaks HTTP/2 without asking, which is gRPC as a rule."""
    return Recognised("grpc", "grpc") if len(answer) >= 9 and answer[3] == 4 and answer[5:9] == bytes(4) else None


def recognise_kafka(answer: bytes) -> Recognised | None:
    """Recognise the answer to ApiVersions by the correlation id that we sent."""
    return Recognised("kafka", "kafka") if answer[4:8] == b"hldf" else None


def recognise_http(answer: bytes) -> Recognised | None:
    """Recognise any answer of HTTP/1, and what it says of its software."""
    if not answer.startswith(b"HTTP/1."):
        return None
    server = re.search(rb"\r\n[Ss]erver:\s*([^\r\n]{1,80})", answer)
    name, _, version = _text(server).partition("/")
    return Recognised("http", "", f"{name} {version}".strip())


@dataclass(frozen=True, slots=True)
class Question:
    """What to send, and how to read the answer."""

    protocol: str
    send: bytes
    read: Callable[[bytes], Recognised | None]


HTTP_GET: Final = b"GET %b HTTP/1.1\r\nHost: localhost\r\nUser-Agent: holdfast-discover\r\nConnection: close\r\n\r\n"
_MQTT_CONNECT: Final = b"\x10\x15\x00\x04MQTT\x04\x02\x00\x05\x00\x09holdfast?"
_KAFKA_API_VERSIONS: Final = struct.pack(">ihh4sh8s", 18, 18, 0, b"hldf", 8, b"holdfast")
_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)

QUESTIONS: Final = MappingProxyType(
    {
        question.protocol: question
        for question in (
            Question("http", HTTP_GET % b"/", recognise_http),
            Question("redis", b"PING\r\n", recognise_redis),
            Question("postgres", struct.pack(">ii", 8, 80877103), recognise_postgres),
            Question("amqp", b"AMQP\x00\x00\x09\x01", recognise_amqp),
            Question("mqtt", _MQTT_CONNECT, recognise_mqtt),
            Question("memcached", b"version\r\n", recognise_memcached),
            Question("grpc", _HTTP2_PREFACE, recognise_http2),
            Question("kafka", _KAFKA_API_VERSIONS, recognise_kafka),
        )
    }
)


def _text(match: re.Match[bytes] | None) -> str:
    return match[1].decode("utf-8", "replace") if match else ""
