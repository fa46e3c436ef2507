"""A file is written, an exporter opened on it, its sources read; and a real server that answers what it is told."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.secrets import Secrets
from holdfast.telemetry.metrics.exporter import load_exporter, open_exporter
from holdfast.telemetry.metrics.exporter.families import ExporterFamilies


class Opened:
    """An exporter, and its samples by name and labels."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.poller = exporter.poller

    async def look(self):
        await self.poller.look_at_all()
        return self

    def samples(self, prefix=""):
        """Give name and labels of every sample with its value."""
        registry = CollectorRegistry()
        registry.register(ExporterFamilies(self.poller))
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name.startswith(prefix)
        }

    def state(self, source):
        return self.poller.states[source]


@pytest.fixture
async def export(tmp_path, request):
    """Open an exporter on a document, given as data or text."""
    opened = []

    def open_on(document, *, clock=None, **environ):
        path = tmp_path / "exporter.yml"
        path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
        secrets = Secrets.standard(environ, SystemClock())
        exporter = open_exporter(load_exporter(path, secrets), secrets, clock)
        opened.append(exporter)
        return Opened(exporter)

    yield open_on
    for exporter in opened:
        await exporter.http.aclose()


class Answering(ThreadingHTTPServer):
    """Answers by path; remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {}
        self.asked = []
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        self.server.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        if self.path == "/hang":
            self.server.released.wait(10)
        status, body = self.server.answers.get(self.path, (404, b"nothing"))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 -- the name that the library asks for

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Answering() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join(timeout=30)
