"""One short conversation with a port: send, read what comes within a moment, hang up. It knows no protocol."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

from holdfast.health.discover.listening import Listener
from holdfast.resilience import timeout

MAX_ANSWER_BYTES: Final = 64 * 1024
_SILENCE_S: Final = 0.15  # after its first bytes a peer has this long for more


@dataclass(frozen=True, slots=True)
class Line:
    """How to reach a listener, in the clear or in TLS, and how long to wait for it."""

    listener: Listener
    patience_s: float = 1.0
    is_tls: bool = False

    async def ask(self, question: bytes, *, patience_s: float | None = None) -> bytes:
        """Send `question` and give the answer, at most 64 KiB; empty when there is none or the port refuses."""
        wait_s = self.patience_s if patience_s is None else patience_s
        try:
            async with timeout(self.patience_s + wait_s):
                return await self._converse(question, wait_s)
        except (OSError, TimeoutError, ssl.SSLError, asyncio.IncompleteReadError):
            return b""

    async def _converse(self, question: bytes, wait_s: float) -> bytes:
        context = _trusting() if self.is_tls else None
        host, port = self.listener.host, self.listener.port
        reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=MAX_ANSWER_BYTES)
        answer = bytearray()
        try:
            writer.write(question)
            await writer.drain()
            while len(answer) < MAX_ANSWER_BYTES:
                async with timeout(_SILENCE_S if answer else wait_s):
                    chunk = await reader.read(4096)
                if not chunk:
                    break
                answer += chunk
        except (TimeoutError, OSError):
            return bytes(answer)
        finally:
            writer.transport.abort()
        return bytes(answer)


def _trusting() -> ssl.SSLContext:
    """Give a context that looks at any certificate: here we only want to know who is there."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
