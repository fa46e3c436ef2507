"""The listeners of syslog: datagrams, connections, and connections with TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Gauge

from holdfast import journal
from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import ConflictError, InvalidError, Place
from holdfast.resilience import Backoff, Pauses
from holdfast.telemetry.ledger import NO_LEDGER
from holdfast.telemetry.logs.syslog.framing import Framing
from holdfast.telemetry.logs.syslog.senders import Senders
from holdfast.telemetry.logs.syslog.taking import SyslogTaking

if TYPE_CHECKING:
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.logs.arrivals import RecordSink
    from holdfast.telemetry.logs.intake import LogMeters
    from holdfast.telemetry.logs.syslog.settings import SyslogSettings

_READ: Final = 65_536
_KEPT_ALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 3}
_AGAIN: Final = Backoff(base_s=1.0, cap_s=30.0, jitter="equal")
_log = journal.get_logger("holdfast.syslog")


class SyslogServer:
    """Listens where the settings say, and hands all messages to one `SyslogTaking`."""

    def __init__(
        self,
        sink: RecordSink,
        settings: SyslogSettings,
        *,
        meters: LogMeters | None = None,
        clock: Clock | None = None,
        registry: CollectorRegistry | None = None,
        ledger: Notes = NO_LEDGER,
    ) -> None:
        registry = registry or CollectorRegistry()
        self._settings = settings
        self._clock = clock or SystemClock()
        self.taking = SyslogTaking(sink, settings, meters=meters, clock=clock, registry=registry, ledger=ledger)
        self._senders = Senders(settings, self._clock)
        self._connections = Gauge("holdfast_syslog_connections", "Connections that send syslog.", registry=registry)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._servers: list[asyncio.Server] = []
        self._datagrams: asyncio.DatagramTransport | None = None
        self.ports: dict[str, int] = {}

    async def run(self) -> None:
        """Serve until cancelled; returns at once when no address is set."""
        settings = self._settings
        if not (settings.udp_listen or settings.tcp_listen or settings.tls_listen):
            return
        pauses = Pauses(_AGAIN)
        while True:
            try:
                await self.start()
                break
            except ConflictError as error:
                await self.stop()
                _log.warning("syslog.cannot_listen", error=str(error))
                await self._clock.sleep(pauses.next_s())
        try:
            await self.taking.run()
        finally:
            await self.stop()

    async def start(self) -> None:
        """Open what the settings name.

        Raises:
            ConflictError: an address cannot be had.
            InvalidError: an address or a certificate is wrong.
        """
        settings = self._settings
        loop = asyncio.get_running_loop()
        if settings.udp_listen:
            address = _address(settings.udp_listen, "udp_listen")
            with _told(settings.udp_listen, "udp_listen"):
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self.taking, self._senders), address
                )
            self._datagrams = transport
            self.ports["udp"] = transport.get_extra_info("sockname")[1]
        for name, listen, context in self._streams():
            host, port = _address(listen, f"{name}_listen")
            with _told(listen, f"{name}_listen"):
                server = await asyncio.start_server(self._serve, host, port, ssl=context, limit=_READ)
            self._servers.append(server)
            self.ports[name] = server.sockets[0].getsockname()[1]

    def _streams(self) -> Sequence[tuple[str, str, ssl.SSLContext | None]]:
        settings = self._settings
        found: list[tuple[str, str, ssl.SSLContext | None]] = []
        if settings.tcp_listen:
            found.append(("tcp", settings.tcp_listen, None))
        if settings.tls_listen:
            found.append(("tls", settings.tls_listen, _context(settings)))
        return found

    async def stop(self) -> None:
        """Close everything."""
        if self._datagrams is not None:
            self._datagrams.close()
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._datagrams, self._servers = None, []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        if (reason := self._refusal(peer)) is not None:
            self.taking.lose(reason, 0)
            writer.close()
            return
        _notice_loss(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._connections.set(len(self._tasks))
        try:
            await self._read(reader, peer)
        except InvalidError as error:
            self.taking.lose("framing")
            _log.warning("syslog.connection_refused", peer=peer, error=str(error))
        except OSError as error:
            _log.info("syslog.connection_lost", peer=peer, error=str(error))
        finally:
            self._tasks.discard(task)
            self._senders.close(peer)
            self._connections.set(len(self._tasks))
            writer.close()

    def _refusal(self, peer: str) -> str | None:
        """Give why a connection is not taken; one that is taken counts as open."""
        if not self._senders.admits(peer):
            return "not_allowed"
        if len(self._tasks) >= self._settings.max_connections:
            return "connections"
        return None if self._senders.open(peer) else "sender_connections"

    async def _put(self, message: bytes, peer: str) -> None:
        while wait_s := self._senders.wait_s(peer):
            await self._clock.sleep(wait_s)
        await self.taking.put(message, peer)

    async def _read(self, reader: asyncio.StreamReader, peer: str) -> None:
        framing = Framing(self._settings.max_message)
        told = 0
        while data := await reader.read(_READ):
            for message in framing.feed(data):
                await self._put(message, peer)
            if framing.too_long > told:
                self.taking.lose("too_long", framing.too_long - told)
                told = framing.too_long
        for message in framing.rest():
            await self._put(message, peer)
        if framing.cut_off:
            self.taking.lose("cut_off", framing.cut_off)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, taking: SyslogTaking, senders: Senders) -> None:
        self._taking = taking
        self._senders = senders

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        peer = str(addr[0])
        if not data.strip(b"\r\n\0 "):
            return
        if not self._senders.admits(peer):
            self._taking.lose("not_allowed", size=len(data))
        elif self._senders.wait_s(peer):
            self._taking.lose("sender_rate", size=len(data))
        else:
            self._taking.offer(data, peer)


def _notice_loss(writer: asyncio.StreamWriter) -> None:
    """Have the system find out when a sender is gone without a word; an idle one may stay for days."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds_or_tries in _KEPT_ALIVE.items():
        if hasattr(socket, name):  # macOS and Windows lack some
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds_or_tries)


def _context(settings: SyslogSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    place = Place(field="syslog.tls_cert")
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key or None)
        if settings.tls_ca:
            place = Place(field="syslog.tls_ca")
            context.load_verify_locations(settings.tls_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        raise InvalidError(f"cannot be read: {error}", hint="name files in PEM", place=place) from None
    return context


def _address(listen: str, name: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65535:
        hint = "write one such as 127.0.0.1:514 or [::1]:514"
        raise InvalidError(f"{listen!r} is not an address to listen on", hint=hint, place=Place(field=f"syslog.{name}"))
    return host, int(port)


@contextlib.contextmanager
def _told(listen: str, name: str) -> Any:
    try:
        yield
    except OSError as error:
        place = Place(field=f"syslog.{name}")
        raise ConflictError(f"{listen} cannot be had: {error}", hint="is another one listening?", place=place) from None
