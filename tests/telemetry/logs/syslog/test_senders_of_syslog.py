"""Python's own SysLogHandler and bare sockets send over UDP, TCP and TLS; the store is slow, senders break off."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from logging.handlers import SysLogHandler

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.certificates import write_certificate
from fixtures.logs import rows, wanted
from fixtures.notes import Noted
from holdfast.kernel.errors import BusyError, ConflictError, InvalidError
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.syslog import SyslogServer, SyslogSettings

ANY = "127.0.0.1:0"


@pytest.fixture
def source():
    return MemoryLogSource()


@pytest.fixture
def noted():
    return Noted()


@pytest.fixture
def sink(source):
    return MemoryLogSink(source)


@pytest.fixture
async def server(sink, noted):
    server = SyslogServer(sink, SyslogSettings(udp_listen=ANY, tcp_listen=ANY, max_message=5000), ledger=noted)
    await server.start()
    yield server
    await server.stop()


async def stored(server, source, count):
    """Give what was stored once `count` records are there."""
    while True:
        await server.taking.flush()
        found = await rows(source, wanted(()))
        if len(found) >= count:
            return found
        await asyncio.sleep(0.01)


async def send(port, data, context=None):
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
async def test_pythons_handler_sends(server, source, kind):
    def say():
        port = server.ports["udp" if kind is socket.SOCK_DGRAM else "tcp"]
        handler = SysLogHandler(("127.0.0.1", port), SysLogHandler.LOG_LOCAL3, kind)
        handler.ident = "shop: "
        logger = logging.Logger("shop")  # noqa: LOG001 - one that leaves nothing behind
        logger.addHandler(handler)
        logger.info("paid")
        try:
            {}["stock"]
        except KeyError:
            logger.exception("order failed")
        handler.close()

    await asyncio.to_thread(say)

    found = {row[1]: row[2:] for row in await stored(server, source, 2)}
    assert found.pop("paid") == (
        {"service_name": "shop"},
        {"severity_text": "info", "facility": "local3", "detected_level": "info", "host_name": "127.0.0.1"},
    )
    [(body, (labels, metadata))] = found.items()
    assert body.startswith("order failed\nTraceback (most recent call last):\n  File ")
    assert body.endswith("KeyError: 'stock'")
    assert (labels, metadata["detected_level"]) == ({"service_name": "shop"}, "error")


async def test_counted_messages_and_lines_are_told_apart(server, source):
    await send(server.ports["tcp"], b"7 <14>a\nb5 <14>c")
    await send(server.ports["tcp"], b"<11>d\n<11>e")

    assert sorted(row[1] for row in await stored(server, source, 4)) == ["a\nb", "c", "d", "e"]


async def test_equal_messages_of_one_second_are_kept(server, source):
    await send(server.ports["tcp"], b"<14>Oct 11 22:14:15 h app: x\n" * 3)
    assert len(await stored(server, source, 3)) == 3


async def test_structured_data_becomes_metadata(server, source):
    await send(server.ports["tcp"], b'<14>1 2023-11-14T22:13:20.000001Z web-1 shop 7 - [ex@32473 order.id="5"] paid')

    [(ts_ns, body, labels, metadata)] = await stored(server, source, 1)
    assert (ts_ns, body, labels) == (1_700_000_000_000_001_000, "paid", {"service_name": "shop"})
    assert metadata["ex_32473_order_id"] == "5"
    assert (metadata["host_name"], metadata["process_pid"]) == ("web-1", "7")


async def test_messages_come_over_tls(sink, source, tmp_path):
    write_certificate(tmp_path)
    chosen = SyslogSettings(tls_listen=ANY, tls_cert=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem"))
    server = SyslogServer(sink, chosen)
    await server.start()
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    context.check_hostname = False
    await send(server.ports["tls"], b"16 <14>shop: secret", context)

    assert [row[1] for row in await stored(server, source, 1)] == ["secret"]
    await server.stop()


async def test_what_the_store_refuses_is_kept_until_it_takes_it(server, sink, source, monkeypatch):
    taken, real = [], sink.append

    async def append(tenant, arrival):
        taken.append(len(arrival.records))
        if len(taken) < 3:
            raise BusyError("full")
        return await real(tenant, arrival)

    monkeypatch.setattr(sink, "append", append)
    await send(server.ports["tcp"], b"<14>a\n<14>b\n")

    assert sorted(row[1] for row in await stored(server, source, 2)) == ["a", "b"]


async def test_datagrams_beyond_the_queue_are_counted(sink):
    noted = Noted()
    server = SyslogServer(sink, SyslogSettings(queue=100), ledger=noted)
    for _ in range(103):
        server.taking.offer(b"<14>x", "peer")
    assert server.taking.dropped.labels("queue_full")._value.get() == 3
    assert noted.records == {("logs", "", "queue_full"): 3}


async def test_what_waits_is_bounded_in_bytes_and_a_connection_waits_for_room(sink, source):
    server = SyslogServer(sink, SyslogSettings(queue_size=1000))
    for _ in range(3):
        server.taking.offer(b"<14>a: " + b"x" * 493, "peer")
    assert server.taking.dropped.labels("queue_full")._value.get() == 1
    waiting = asyncio.create_task(server.taking.put(b"<14>b: last", "peer"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert {row[1] for row in await stored(server, source, 3)} == {"x" * 493, "last"}
    await waiting


async def test_connections_that_send_rubbish_harm_nobody_and_what_is_lost_of_them_is_noted(server, source, noted):
    await send(server.ports["tcp"], b"5 <14>aRUBBISH <14>")
    await send(server.ports["tcp"], b"<14>" + b"x" * 20_000 + b"\n<14>fine\n")
    await send(server.ports["tcp"], b"5 <14>b99 <14>ended too early")
    assert {row[1] for row in await stored(server, source, 3)} == {"a", "b", "fine"}
    assert noted.records == {("logs", "", "cut_off"): 2, ("logs", "", "line_too_long"): 1}


async def test_what_is_not_stored_when_the_server_stops_is_noted_by_its_service(sink, monkeypatch):
    async def append(tenant, arrival):
        raise BusyError("full")

    monkeypatch.setattr(sink, "append", append)
    noted = Noted()
    server = SyslogServer(sink, SyslogSettings(), ledger=noted)
    server.taking.offer(b"<14>Oct 11 22:14:15 web-1 shop[7]: paid", "peer")
    running = asyncio.create_task(server.taking.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert noted.records == {("logs", "shop", "lost"): 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.binary(max_size=200))
async def test_no_datagram_breaks_it(server, data):
    server.taking.offer(data, "peer")
    await server.taking.flush()


@pytest.mark.parametrize("address", ["514", "x:", "127.0.0.1:99999"])
async def test_a_wrong_address_is_told_by_field(sink, address):
    with pytest.raises(InvalidError, match=r"syslog\.tcp_listen"):
        await SyslogServer(sink, SyslogSettings(tcp_listen=address)).start()


async def test_a_taken_port_is_told(sink, server):
    with pytest.raises(ConflictError, match="cannot be had"):
        await SyslogServer(sink, SyslogSettings(tcp_listen=f"127.0.0.1:{server.ports['tcp']}")).start()


async def test_without_an_address_nothing_listens(sink):
    server = SyslogServer(sink, SyslogSettings())
    await server.run()
    assert server.ports == {}


async def test_lines_without_a_frame_go_on_where_their_peer_was_whatever_host_it_named(server, source):
    begin, end = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
    lines = (f"<11>Oct 11 22:14:15 web-1 shop[7]: {begin}", "MIIEpAIB", end, "<14>Oct 11 22:14:15 web-1 shop[7]: next")
    await send(server.ports["tcp"], "".join(f"{line}\n" for line in lines).encode())

    found = {row[1]: (row[2]["service_name"], row[3]["host_name"]) for row in await stored(server, source, 2)}
    assert found == {f"{begin}\nMIIEpAIB\n{end}": ("shop", "web-1"), "next": ("shop", "web-1")}
