"""The dns kind against a small name server that answers as told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from fixtures import peers
from health.probes.conftest import build
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import InvalidError

HERE = "127.0.0.1"


def zone(*records: str, rcode: str = "NOERROR", flags: int = 0):
    """Answer every question with these records: `name ttl type value`."""

    def answer(wire: bytes) -> bytes:
        question = dns.message.from_wire(wire)
        response = dns.message.make_response(question)
        response.set_rcode(dns.rcode.from_text(rcode))
        response.flags |= flags
        for record in records:
            name, ttl, kind, value = record.split(" ", 3)
            response.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, value))
        return response.to_wire()

    return answer


@asynccontextmanager
async def name_server(answer, *, over_tcp=None, tls=None):
    """Serve `answer` over UDP and `over_tcp` over TCP on the same port; give the port."""

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            for reply in answer(data) if isinstance(answer(data), list) else [answer(data)]:
                self.transport.sendto(reply, address)

    async def talk(reader, writer):
        size = int.from_bytes(await reader.readexactly(2), "big")
        reply = (over_tcp or answer)(await reader.readexactly(size))
        writer.write(len(reply).to_bytes(2, "big") + reply)

    async with peers.peer(talk, tls=tls) as port:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Server, local_addr=(HERE, port))
        try:
            yield port
        finally:
            transport.close()
            await asyncio.sleep(0)


async def look_up(ask, answer, over_tcp=None, **fields):
    async with name_server(answer, over_tcp=over_tcp) as port:
        return await ask("dns", **{"name": "shop.example", "server": HERE, "port": port, **fields})


TWO = zone("shop.example. 60 A 192.0.2.2", "shop.example. 60 A 192.0.2.1", flags=dns.flags.AD)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"values": ["192.0.2.1", "192.0.2.2"]},
        {"contains": ["192.0.2.2"]},
        {"matches": r"^192\.0\.2\."},
        {"authenticated": True},
        {"transport": "tcp"},
    ],
)
async def test_an_answer_as_expected_is_up(ask, fields):
    seen = await look_up(ask, TWO, **fields)
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith("shop.example A is 192.0.2.1, 192.0.2.2, said in ")
    assert seen.facts == {
        "rcode": "NOERROR",
        "records": 2,
        "values": "192.0.2.1, 192.0.2.2",
        "authenticated": True,
        "authoritative": False,
        "ttl_s": 60,
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"values": ["192.0.2.1"]},
            "expected shop.example A to be 192.0.2.1, found 192.0.2.1, 192.0.2.2",
        ),
        (
            {"contains": ["192.0.2.9"]},
            "expected 192.0.2.9 among shop.example A, found 192.0.2.1, 192.0.2.2",
        ),
        ({"matches": "^10"}, "expected shop.example A to match /^10/, found 192.0.2.1, 192.0.2.2"),
        (
            {"authoritative": True},
            "expected an authoritative answer for shop.example A, found the AA flag unset",
        ),
        ({"type": "MX"}, "expected a record for shop.example MX, found none"),
        ({"rcode": "NXDOMAIN"}, "expected NXDOMAIN for shop.example A, found NOERROR"),
    ],
)
async def test_another_answer_is_down_and_says_both(ask, fields, message):
    seen = await look_up(ask, TWO, **fields)
    assert (seen.verdict, seen.message) == (Verdict.DOWN, message)


@pytest.mark.parametrize(
    ("kind", "stored", "written"),
    [
        ("AAAA", "2001:db8::1", "2001:DB8:0::1"),
        ("TXT", '"v=spf1 -all"', '"v=spf1 -all"'),
        ("MX", "10 mail.shop.example.", "10 mail.shop.example."),
        ("CAA", '0 issue "ca.example"', '0 issue "ca.example"'),
        ("SRV", "1 2 443 a.example.", "1 2 443 a.example."),
    ],
)
async def test_values_of_every_type_compare_as_dns_does(ask, kind, stored, written):
    seen = await look_up(ask, zone(f"shop.example. 5 {kind} {stored}"), type=kind, values=[written])
    assert seen.verdict is Verdict.UP


async def test_an_alias_is_followed_to_its_records(ask):
    answer = zone("shop.example. 60 CNAME lb.example.", "lb.example. 5 A 192.0.2.7")
    seen = await look_up(ask, answer, values=["192.0.2.7"])
    assert (seen.verdict, seen.facts["ttl_s"]) == (Verdict.UP, 5)


async def test_an_address_asks_for_its_name(ask):
    answer = zone("1.2.0.192.in-addr.arpa. 60 PTR host.example.")
    seen = await look_up(ask, answer, name="192.0.2.1", values=["host.example."])
    assert seen.verdict is Verdict.UP


async def test_a_name_that_must_not_exist(ask):
    seen = await look_up(ask, zone(rcode="NXDOMAIN"), rcode="NXDOMAIN")
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith("shop.example A is NXDOMAIN")


async def test_a_refusal_is_down(ask):
    seen = await look_up(ask, zone(rcode="SERVFAIL"))
    assert (seen.verdict, seen.message) == (
        Verdict.DOWN,
        "expected NOERROR for shop.example A, found SERVFAIL",
    )


async def test_a_truncated_answer_is_asked_for_again_over_tcp(ask):
    seen = await look_up(ask, zone(flags=dns.flags.TC), over_tcp=TWO)
    assert (seen.verdict, seen.facts["truncated"]) == (Verdict.UP, True)


async def test_dns_over_tls(ask, authority):
    async with name_server(TWO, tls=authority.issue(HERE).server_context()) as port:
        tls = {"ca_file": authority.file}
        seen = await ask("dns", name="shop.example", server=HERE, port=port, transport="tls", tls=tls)
    assert seen.verdict is Verdict.UP
    assert seen.phases.tls_s is not None


async def test_a_datagram_with_another_id_is_ignored(ask):
    def spoofed(wire):
        forged = bytes([wire[0] ^ 1]) + zone("shop.example. 60 A 203.0.113.6")(wire)[1:]
        return [forged, TWO(wire)]

    seen = await look_up(ask, spoofed, values=["192.0.2.1", "192.0.2.2"])
    assert seen.verdict is Verdict.UP


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda wire: wire[:2] + b"garbage", "the answer is not DNS: "),
        (lambda wire: wire[:12], "the answer is not DNS: "),
        (lambda wire: wire, "the answer does not belong to the question"),
        (lambda wire: TWO(wire)[:40], "the answer is not DNS: "),
    ],
)
async def test_a_malformed_answer_is_down(ask, answer, message):
    seen = await look_up(ask, answer)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith(message)


async def test_silence_is_down(ask):
    seen = await look_up(ask, lambda _: b"??", timeout_s=0.1)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith("no verdict within 100ms: stopped while waiting for an answer from 127.0.0.1")


async def test_a_port_that_nobody_listens_on_is_down(ask):
    seen = await ask("dns", name="shop.example", server=HERE, port=peers.closed_port())
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith("connection refused while waiting for an answer")


async def test_a_metadata_server_is_refused(ask):
    seen = await ask("dns", name="shop.example", server="169.254.169.253")
    assert seen.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "a..b"}, "name"),
        ({"name": "a", "type": "XYZ"}, "type"),
        ({"name": "a", "rcode": "NICE"}, "rcode"),
        ({"name": "a", "values": ["not an address"]}, "values"),
        ({"name": "a", "contains": ["::1"]}, "contains"),
    ],
)
def test_an_impossible_question_is_refused_with_its_field(fields, field):
    with pytest.raises(InvalidError) as caught:
        build("dns", **fields)
    assert caught.value.place.field == field
