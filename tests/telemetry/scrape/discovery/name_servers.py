"""A name server over UDP and TCP that answers from a table, or does not."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Records = list[tuple[str, str, list[str]]]
SILENT = "SILENT"


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """What it knows by name and type; a text is a code of DNS, or `SILENT`."""

    zone: dict[tuple[str, str], Records | str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The names that it was asked for, and over what."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if answer := self._answer(data, "udp"):
            self._transport.sendto(answer, addr)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one question of a TCP connection."""
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        if answer := self._answer(await reader.readexactly(size), "tcp"):
            writer.write(struct.pack("!H", len(answer)) + answer)
        writer.close()

    def _answer(self, wire: bytes, way: str) -> bytes:
        question = dns.message.from_wire(wire)
        name, kind = question.question[0].name.to_text(), question.question[0].rdtype.name
        self.asked.append((name, way))
        known, response = self.zone.get((name, kind), "NXDOMAIN"), dns.message.make_response(question)
        if known == SILENT:
            return b""
        if isinstance(known, str):
            response.set_rcode(dns.rcode.from_text(known))
        else:
            response.answer = [dns.rrset.from_text(owner, 5, "IN", of, *values) for owner, of, values in known]
        try:
            return response.to_wire(max_size=512 if way == "udp" else 65535)
        except dns.exception.TooBig:
            response.answer, response.flags = [], response.flags | dns.flags.TC
            return response.to_wire()
