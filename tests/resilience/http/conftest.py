"""A real server on loopback that answers by script, and one way to drive both clients."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from holdfast.resilience.http import AsyncHttpClient, HttpClient
from holdfast.resilience.testing import FakeClock


class QuickClock(FakeClock):
    """A fake clock on which async sleeps pass at once too."""

    async def sleep(self, seconds):
        self.sleep_sync(seconds)


class Peer:
    """What the server heard, and what it answers next: (status, headers, body), or a function of the request."""

    def __init__(self):
        self.heard = []
        self.script = []
        self.answer = lambda request: (200, {}, b"{}")

    def reply(self, request):
        self.heard.append(request)
        step = self.script.pop(0) if self.script else self.answer
        return step(request) if callable(step) else step


class Request:
    def __init__(self, handler):
        self.method, self.path = handler.command, handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = handler.rfile.read(int(handler.headers.get("content-length", 0)))


@pytest.fixture
def peer():
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self):
            status, headers, body = peer.reply(Request(self))
            if status == 0:  # hangs up
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any  # noqa: N815 -- the names that http.server looks for

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request, client_address):
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        peer.url = f"http://127.0.0.1:{server.server_port}"
        yield peer
        server.shutdown()
        thread.join(timeout=30)


@pytest.fixture
def quick_clock():
    return QuickClock()


class Plain:
    """The plain client with the async one's face."""

    def __init__(self, **options):
        self._client = HttpClient(**options)

    async def __aenter__(self):
        await asyncio.to_thread(self._client.__enter__)
        return self

    async def __aexit__(self, *error):
        await asyncio.to_thread(self._client.__exit__, *error)

    def __getattr__(self, verb):
        method = getattr(self._client, verb)

        async def call(*args, **kwargs):
            return await asyncio.to_thread(method, *args, **kwargs)

        return call

    async def items(self, *args, **kwargs):
        for item in await asyncio.to_thread(lambda: list(self._client.items(*args, **kwargs))):
            yield item


@pytest.fixture(params=["async", "plain"])
def client(request, peer, quick_clock):
    """Makes a client of each kind for the peer."""
    kind = AsyncHttpClient if request.param == "async" else Plain

    def make(**options):
        return kind(**{"base_url": peer.url, "clock": quick_clock, **options})

    return make
