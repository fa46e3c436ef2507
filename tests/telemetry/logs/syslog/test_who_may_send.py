"""An allow list, rates and connections of single senders, and clocks that name no time zone."""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import suppress

import pytest

from fixtures.logs import rows, wanted
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import ConfigError, InvalidError
from holdfast.kernel.settings import load
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.syslog import SECTION, SyslogServer, SyslogSettings
from holdfast.telemetry.logs.syslog.senders import Senders

ANY = "127.0.0.1:0"
NOW = dt.datetime(2026, 7, 5, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def source():
    return MemoryLogSource()


def server_of(source, **settings):
    return SyslogServer(MemoryLogSink(source), SyslogSettings(udp_listen=ANY, tcp_listen=ANY, **settings))


async def send(port, data):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):  # who is not heard is hung up on
        writer.write(data)
        writer.write_eof()
        await reader.read()
    writer.close()


def count(server, reason):
    return server.taking.dropped.labels(reason)._value.get()


@pytest.mark.parametrize(
    ("peer", "is_admitted"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("fd00::7%eth0", True), ("192.168.0.1", False), ("", False)],
)
def test_networks_say_who_may_send(peer, is_admitted):
    senders = Senders(SyslogSettings(allow=["10.0.0.0/8", "fd00::/8"]), FakeClock(NOW))
    assert [senders.admits(peer) for _ in range(2)] == [is_admitted] * 2


def test_what_is_no_network_is_told_by_place():
    with pytest.raises(InvalidError, match=r"syslog\.allow\[1\]"):
        Senders(SyslogSettings(allow=["10.0.0.0/8", "ten"]), FakeClock(NOW))


async def test_who_is_not_allowed_is_not_heard(source):
    server = server_of(source, allow=["10.0.0.0/8"])
    await server.start()
    await send(server.ports["tcp"], b"<14>tcp\n")
    loop = asyncio.get_running_loop()
    datagrams, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", server.ports["udp"])
    )
    datagrams.sendto(b"<14>udp")
    async with asyncio.timeout(30):
        while count(server, "not_allowed") < 2:  # noqa: ASYNC110 -- a datagram tells nobody that it came
            await asyncio.sleep(0.01)
    datagrams.close()
    await server.taking.flush()
    await server.stop()
    assert await rows(source, wanted(())) == []


async def test_a_sender_above_its_rate_waits_and_the_others_do_not():
    clock = FakeClock(NOW)
    senders = Senders(SyslogSettings(sender_rate=2), clock)
    assert [senders.wait_s("a") for _ in range(20)] == [0.0] * 20
    wait_s = senders.wait_s("a")
    assert 0 < wait_s <= 0.5
    assert senders.wait_s("b") == 0
    await clock.advance(wait_s)
    assert senders.wait_s("a") == 0


async def test_datagrams_above_the_rate_are_lost_and_counted(source):
    server = server_of(source, sender_rate=0.001)
    await server.start()
    [transport] = [server._datagrams]
    protocol = transport.get_protocol()
    for number in range(5):
        protocol.datagram_received(b"<14>%d" % number, ("127.0.0.1", 1))
    protocol.datagram_received(b"<14>other", ("127.0.0.2", 1))
    await server.taking.flush()
    await server.stop()
    assert sorted(row[1] for row in await rows(source, wanted(()))) == ["0", "other"]
    assert count(server, "sender_rate") == 4


async def test_one_address_has_only_so_many_connections(source):
    server = server_of(source, sender_connections=1)
    await server.start()
    answers, first = await asyncio.open_connection("127.0.0.1", server.ports["tcp"])
    first.write(b"<14>first\n")
    await first.drain()
    async with asyncio.timeout(30):
        while not server._senders._connections:  # noqa: ASYNC110 -- nobody tells that it was accepted
            await asyncio.sleep(0.01)
    await send(server.ports["tcp"], b"<14>second\n")
    first.write_eof()
    await answers.read()
    first.close()
    await server.stop()
    await server.taking.flush()
    assert [row[1] for row in await rows(source, wanted(()))] == ["first"]
    assert count(server, "sender_connections") == 1


async def test_times_without_a_zone_are_of_the_zone_that_is_set(source):
    server = server_of(source, time_zone="America/New_York")
    now = dt.datetime.now(dt.UTC)
    local = now.astimezone(server.taking._zone)
    await server.taking.put(f"<14>{local:%b} {local.day:2d} {local:%H:%M:%S} web-1 shop: x".encode(), "peer")
    await server.taking.flush()
    [(ts_ns, *_)] = await rows(source, wanted(()))
    assert ts_ns // 10**9 == int(now.timestamp())


def test_a_zone_that_is_none_is_told_by_field():
    with pytest.raises(ConfigError, match="time zone"):
        load((SECTION,), environ={}, overrides={"syslog": {"time_zone": "Mars/Phobos"}})
