"""Connections for probes: which addresses may be asked, TCP and TLS with their phases timed, bounded reading.

Owns the refusal of metadata addresses and the trust options. Knows no check kind.
"""

from holdfast.health.probes.network.addresses import (
    Endpoint,
    Family,
    Port,
    find_addresses,
    is_refused,
    literal_address,
)
from holdfast.health.probes.network.datagrams import ask_by_datagram
from holdfast.health.probes.network.dialing import dial, secure
from holdfast.health.probes.network.trust import DEFAULT_TLS, Tls, TlsOptions, client_context, expiry_of
from holdfast.health.probes.network.wire import Wire, open_wire

__all__ = [
    "DEFAULT_TLS",
    "Endpoint",
    "Family",
    "Port",
    "Tls",
    "TlsOptions",
    "Wire",
    "ask_by_datagram",
    "client_context",
    "dial",
    "expiry_of",
    "find_addresses",
    "is_refused",
    "literal_address",
    "open_wire",
    "secure",
]
