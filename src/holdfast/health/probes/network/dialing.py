"""Opening one connection with its phases timed: name, TCP, TLS. What is then said on it is the kind's business.

Addresses of a name are tried in order; all but the last get an equal share of the time that is left.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from holdfast.health.probes.attempts import now_s
from holdfast.health.probes.faults import explain
from holdfast.health.probes.network.addresses import find_addresses, literal_address
from holdfast.health.probes.network.trust import TlsOptions, client_context
from holdfast.resilience import timeout

if TYPE_CHECKING:
    from holdfast.health.probes.attempts import Attempt
    from holdfast.health.probes.network.addresses import Endpoint

P = TypeVar("P", bound=asyncio.Protocol)


async def dial(attempt: Attempt, endpoint: Endpoint, factory: Callable[[], P]) -> tuple[asyncio.Transport, P]:
    """Connect over TCP to the first address of `endpoint` that answers.

    Raises:
        FaultError: no address may be asked.
        OSError: the last address refused.
        TimeoutError: the attempt's deadline passed.
    """
    *others, last = await find_addresses(attempt, endpoint)
    for position, address in enumerate(others):
        share_s = attempt.remaining_s() / (len(others) + 1 - position)
        try:
            async with timeout(max(0.001, share_s)):
                return await _connect(attempt, address, endpoint.port, factory)
        except OSError as error:
            attempt.facts["first_address_failed"] = f"{address}: {explain(error, 'connecting').message}"
    return await _connect(attempt, last, endpoint.port, factory)


async def _connect(attempt: Attempt, address: str, port: int, factory: Callable[[], P]) -> tuple[asyncio.Transport, P]:
    attempt.stage = f"connecting to {address} port {port}"
    began_s = now_s()
    transport, protocol = await asyncio.get_running_loop().create_connection(factory, address, port)
    attempt.connect_s = (attempt.connect_s or 0.0) + now_s() - began_s
    return transport, protocol


async def secure(
    attempt: Attempt,
    transport: asyncio.Transport,
    endpoint: Endpoint,
    options: TlsOptions,
    alpn: tuple[str, ...] = (),
) -> tuple[asyncio.Transport, ssl.SSLObject]:
    """Start TLS on an open connection; the protocol stays the same, the transport is a new one.

    Raises:
        OSError: the handshake or the verification failed (ssl.SSLError is one).
        FaultError: our own files are unusable.
    """
    context = client_context(options, alpn)
    attempt.stage = f"shaking hands over TLS with {endpoint}"
    began_s = now_s()
    name = options.server_name or endpoint.host
    protocol = cast("asyncio.Protocol", transport.get_protocol())
    try:
        secured = await asyncio.get_running_loop().start_tls(
            transport,
            protocol,
            context,
            server_hostname=None if not options.verify and literal_address(name) else name,
            ssl_handshake_timeout=attempt.remaining_s() + 1,  # the attempt has its own deadline
        )
    except BaseException:
        transport.abort()
        raise
    if secured is None:  # the peer hung up while the handshake finished
        raise ConnectionResetError
    attempt.tls_s = (attempt.tls_s or 0.0) + now_s() - began_s
    return secured, secured.get_extra_info("ssl_object")
