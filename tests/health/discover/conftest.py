"""Servers that say what a test tells them, each on a port of its own, in threads beside the test."""

from __future__ import annotations

import socketserver
import threading

import pytest

from holdfast.health.discover import Listener


class _Talker(socketserver.BaseRequestHandler):
    def handle(self):
        server = self.server
        self.request.settimeout(5)
        try:
            if server.greeting:
                self.request.sendall(server.greeting)
            while question := self.request.recv(4096):
                server.heard.append(question)
                for start, answer in server.answers.items():
                    if question.startswith(start):
                        self.request.sendall(answer)
                        return
        except OSError:
            return


@pytest.fixture
def talk():
    """Start a server with a greeting, and answers by how the question begins; give its listener."""
    servers = []

    def start(greeting=b"", answers=None, process="") -> Listener:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Talker)
        server.daemon_threads = True
        server.block_on_close = False
        server.greeting, server.answers, server.heard = greeting, answers or {}, []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return Listener("127.0.0.1", server.server_address[1], process)

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join(timeout=30)
