"""A real name server is asked: search domains, chains, answers too large for UDP, and what is no answer."""

from __future__ import annotations

import asyncio
from functools import partial

import dns.asyncresolver
import dns.name
import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import UnavailableError
from holdfast.telemetry.metrics.scrape.config import DnsDiscovery
from holdfast.telemetry.metrics.scrape.discovery import Failures
from holdfast.telemetry.metrics.scrape.discovery.names import NamedTargets, ask_resolver
from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics
from telemetry.scrape.discovery.name_servers import SILENT, NameServer


async def listen_on_one_port(made):
    """Listen on a port that UDP has free and TCP, too: the one of it may be another test's connection."""
    for _ in range(50):
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: made, local_addr=("127.0.0.1", 0))
        made.port = transport.get_extra_info("sockname")[1]
        try:
            return transport, await asyncio.start_server(made.serve, "127.0.0.1", made.port)
        except OSError:
            transport.close()
    pytest.fail("no port is free for both")


@pytest.fixture
async def server():
    made = NameServer()
    transport, listening = await listen_on_one_port(made)
    yield made
    transport.close()
    listening.close()


@pytest.fixture
def ask(server):
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.ndots = ["127.0.0.1"], server.port, 2
    resolver.search = [dns.name.from_text("corp.test."), dns.name.from_text("other.test.")]
    return partial(ask_resolver, resolver)


def _texts(records):
    return [record.to_text() for record in records]


def _a(name, *addresses):
    return [(name, "A", list(addresses))]


async def test_a_name_is_looked_for_alone_or_in_the_search_domains_first(server, ask):
    server.zone = {
        ("web.a.b.", "A"): _a("web.a.b.", "10.0.0.1"),
        ("web.other.test.", "A"): _a("web.other.test.", "10.0.0.2"),
    }
    assert _texts(await ask("web.a.b", "A")) == ["10.0.0.1"]
    assert _texts(await ask("web", "A")) == ["10.0.0.2"]
    assert await ask("web.", "A") == []
    assert await ask("no.a.b", "A") == []
    names = [name for name, _ in server.asked]
    assert names[:4] == ["web.a.b.", "web.corp.test.", "web.other.test.", "web."]
    assert names[4:] == ["no.a.b.", "no.a.b.corp.test.", "no.a.b.other.test."]


async def test_a_search_domain_that_fails_does_not_hide_the_next(server, ask):
    server.zone = {("web.corp.test.", "A"): "SERVFAIL", ("web.other.test.", "A"): _a("web.other.test.", "10.0.0.2")}
    assert _texts(await ask("web", "A")) == ["10.0.0.2"]
    server.zone.pop(("web.other.test.", "A"))
    with pytest.raises(UnavailableError, match="SERVFAIL"):  # it may be there
        await ask("web", "A")


async def test_a_name_without_such_records_has_none(server, ask):
    server.zone = {("web.corp.test.", "A"): [], ("web.other.test.", "A"): _a("web.other.test.", "10.0.0.2")}
    assert await ask("web", "A") == []


async def test_chains_are_followed_and_large_answers_come_over_tcp(server, ask):
    chain = [("web.a.b.", "CNAME", ["x.a.b."]), ("x.a.b.", "CNAME", ["y.a.b."]), *_a("y.a.b.", "10.0.0.1")]
    records = [("_http._tcp.a.", "SRV", [f"0 0 80 web-{number}.example.org." for number in range(200)])]
    server.zone = {("web.a.b.", "A"): chain, ("_http._tcp.a.", "SRV"): records}
    assert _texts(await ask("web.a.b.", "A")) == ["10.0.0.1"]
    assert len(await ask("_http._tcp.a.", "SRV")) == 200
    assert [way for _, way in server.asked] == ["udp", "udp", "tcp"]


@pytest.mark.parametrize("name", ["web..a", "w" * 64])
async def test_what_is_no_name_is_a_failure(ask, name):
    with pytest.raises(UnavailableError):
        await ask(name, "A")


async def test_a_name_that_nobody_answers_holds_no_other_up_and_keeps_its_targets(server, ask):
    server.zone = {("a.a.b.", "A"): SILENT, ("b.a.b.", "A"): _a("b.a.b.", "10.0.0.2")}
    told, registry = {}, CollectorRegistry()
    section = DnsDiscovery(("a.a.b.", "b.a.b."), type="A", port=80)
    targets = NamedTargets(section, SystemClock(), Failures(ScrapeMetrics(registry), SystemClock()), ask)
    looking = asyncio.create_task(targets.look_up(lambda name, found: told.update({name: found[0]["__address__"]})))
    async with asyncio.timeout(3):
        while "b.a.b." not in told:  # noqa: ASYNC110 - what is waited for happens over a connection
            await asyncio.sleep(0.02)
    assert told == {"b.a.b.": "10.0.0.2:80"}
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
