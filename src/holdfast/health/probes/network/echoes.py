"""ICMP echo without a privileged helper: the kernel's datagram sockets where allowed, raw sockets otherwise."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from holdfast.health.probes.attempts import now_s
from holdfast.health.probes.faults import FaultError
from holdfast.health.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_ECHO: Final = {4: (8, 0), 6: (128, 129)}  # request and reply, RFC 792 and RFC 4443
_PROTOCOL: Final = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_FORBIDDEN: Final = "the kernel lets this process send no ICMP: widen net.ipv4.ping_group_range or grant CAP_NET_RAW"


class Echoes:
    """Sends echo requests to one address and notes when their replies arrive."""

    def __init__(self, address: str, payload_bytes: int) -> None:
        self._address = address
        self._version = ipaddress.ip_address(address).version
        self._socket, self._is_raw = _open(self._version)
        self._ident = int.from_bytes(os.urandom(2), "big")
        self._payload = os.urandom(8).ljust(max(8, payload_bytes), b"\0")
        self._sent_s: dict[int, float] = {}
        self._all_replied = asyncio.Event()
        self.round_trips_s: dict[int, float] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Collect replies while the block runs."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket.fileno(), self._receive)
        try:
            yield
        finally:
            loop.remove_reader(self._socket.fileno())
            self._socket.close()

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return len(self._sent_s)

    def send(self, sequence: int) -> None:
        """Send one request."""
        kind, _ = _ECHO[self._version]
        body = struct.pack("!HH", self._ident, sequence) + self._payload
        checksum = _checksum(struct.pack("!BBH", kind, 0, 0) + body) if self._version == 4 else 0
        self._all_replied.clear()
        self._sent_s[sequence] = now_s()
        self._socket.sendto(struct.pack("!BBH", kind, 0, checksum) + body, (self._address, 0))

    async def wait(self) -> None:
        """Return when every request so far has its reply."""
        if len(self.round_trips_s) < len(self._sent_s):
            await self._all_replied.wait()

    def _receive(self) -> None:
        try:
            data, source = self._socket.recvfrom(65_535)
        except OSError:  # an unreachable host is reported here; the missing reply says it too
            return
        arrived_s = now_s()
        if self._is_raw and self._version == 4:
            data = data[(data[0] & 0x0F) * 4 :]  # a raw IPv4 socket gives the IP header too
        if len(data) < 16 or source[0].partition("%")[0] != self._address.partition("%")[0]:
            return
        kind, _, _, ident, sequence = struct.unpack_from("!BBHHH", data)
        # A datagram socket has an identifier of the kernel's choice, and gets only its own replies.
        ours = data[8:16] == self._payload[:8] and (ident == self._ident or not self._is_raw)
        if kind == _ECHO[self._version][1] and ours and sequence in self._sent_s:
            self.round_trips_s.setdefault(sequence, arrived_s - self._sent_s[sequence])
            if len(self.round_trips_s) == len(self._sent_s):
                self._all_replied.set()


def _open(version: int) -> tuple[socket.socket, bool]:
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind | socket.SOCK_NONBLOCK, _PROTOCOL[version]), kind == socket.SOCK_RAW
        except PermissionError:
            continue
    raise FaultError(_FORBIDDEN, Verdict.UNKNOWN)


def _checksum(data: bytes) -> int:
    """Give the internet checksum (RFC 1071)."""
    padded = data if len(data) % 2 == 0 else data + b"\0"
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
