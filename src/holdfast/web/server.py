"""Runs the app on a socket with uvicorn: bound before anything starts, stopped without dropping requests.

Signals are the caller's matter: it sets `stop`. TLS belongs to the reverse proxy in front.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import TYPE_CHECKING, Final

import psutil
import uvicorn

from holdfast import journal
from holdfast.kernel.errors import ConflictError, InvalidError, Place
from holdfast.web.protocol import BoundedHttp
from holdfast.web.sockets import MOST_MESSAGE_BYTES, BoundedSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.web.assembly import WebApp
    from holdfast.web.settings import WebSettings

BACKLOG: Final = 2048
IDLE_PER_REQUEST: Final = 8  # browsers and pools keep connections open that ask nothing now
KEEP_ALIVE_S: Final = 30
STREAMS_GO_AFTER_S: Final = 0.05

log = journal.get_logger("holdfast.web")


def parse_listen(listen: str) -> tuple[str, int]:
    """Read `HOST:PORT` or `[IPv6]:PORT`.

    Raises:
        InvalidError: it is neither.
    """
    host, _, port = listen.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or not port.isdigit() or int(port) > 65535:
        raise InvalidError(
            f"{listen!r} is not an address to listen on",
            hint="write one such as 127.0.0.1:4653 or [::1]:4653",
            place=Place(field="server.listen"),
        )
    return host, int(port)


def bind(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes any free one.

    Raises:
        ConflictError: another process has the port; the message names it where the system tells.
        InvalidError: this machine has no such address, or the port needs more rights.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _explain(error, host, port) from None
    listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return listener


async def serve(
    app: WebApp,
    listener: socket.socket,
    settings: WebSettings,
    *,
    stop: asyncio.Event,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests on `listener` until `stop` is set, then let running ones finish.

    Args:
        app: what answers.
        listener: an open socket; closed at the end.
        settings: limits of the server.
        stop: set it to end.
        started: called once requests are answered.
    """
    server = _Server(
        uvicorn.Config(
            app.asgi,
            http=BoundedHttp,
            ws=BoundedSocket,
            ws_max_size=MOST_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            limit_concurrency=IDLE_PER_REQUEST * settings.max_requests,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(settings.shutdown_grace)),
        ),
        app,
        started,
    )
    stopping = asyncio.create_task(_stop_when_set(server, stop), name="web-stop")
    try:
        await server.serve(sockets=[listener])
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        listener.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: WebApp, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._tell_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.streams.end_all()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever owns the process."""
        yield


async def _stop_when_set(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


def _explain(error: OSError, host: str, port: int) -> Exception:
    place = Place(field="server.listen")
    if error.errno == errno.EADDRINUSE:
        holder = find_holder(port)
        return ConflictError(
            f"port {port} on {host} is in use{f' by {holder}' if holder else ''}",
            hint="stop that process, or listen elsewhere: --listen HOST:PORT",
            place=place,
        )
    if error.errno == errno.EACCES:
        return InvalidError(f"port {port} needs more rights", hint="take one above 1023", place=place)
    return InvalidError(f"cannot listen on {host}:{port}: {error.strerror}", place=place)


def find_holder(port: int) -> str:
    """Name the process that listens on `port`, or nothing where the system does not tell."""
    try:
        for each in psutil.net_connections(kind="tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid:
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    except psutil.Error:
        return ""
    return ""
