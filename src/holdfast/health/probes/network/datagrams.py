"""One question and one answer over UDP, on a connected socket: the kernel drops what strangers send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from holdfast.health.probes.attempts import now_s
from holdfast.health.probes.network.addresses import find_addresses

if TYPE_CHECKING:
    from holdfast.health.probes.attempts import Attempt
    from holdfast.health.probes.network.addresses import Endpoint

T = TypeVar("T")


class _Question(asyncio.DatagramProtocol):
    def __init__(self, accept: Callable[[bytes], T | None]) -> None:
        self.answer: asyncio.Future[T | Exception] = asyncio.get_running_loop().create_future()
        self._accept = accept

    def datagram_received(self, data: bytes, _: object) -> None:
        accepted = self._accept(data)
        if accepted is not None and not self.answer.done():
            self.answer.set_result(accepted)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_result(exc)


async def ask_by_datagram(
    attempt: Attempt, endpoint: Endpoint, question: bytes, accept: Callable[[bytes], T | None]
) -> T:
    """Send `question` to the first address of `endpoint` and give the first answer that `accept` does not drop.

    Raises:
        FaultError: no address may be asked.
        OSError: the host said that nobody listens there.
    """
    address, *_ = await find_addresses(attempt, endpoint)
    attempt.stage = f"waiting for an answer from {address} port {endpoint.port}"
    began_s = now_s()
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Question(accept), remote_addr=(address, endpoint.port)
    )
    try:
        transport.sendto(question)
        outcome = await protocol.answer
    finally:
        transport.abort()
    attempt.first_byte_s = now_s() - began_s
    if isinstance(outcome, Exception):
        raise outcome
    return cast("T", outcome)
