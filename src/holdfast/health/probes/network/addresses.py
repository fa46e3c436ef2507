"""From a host name to the addresses that may be asked; link-local and metadata addresses may not, unless granted.

Names are looked up by the system's own resolver, in threads of our own: a name server that does not answer must not
use up the threads of everybody else. The connection is made in `dialing`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from holdfast.health.probes.attempts import now_s
from holdfast.health.probes.faults import FaultError
from holdfast.health.verdict import Verdict

if TYPE_CHECKING:
    from holdfast.health.probes.attempts import Attempt

_LOOKUP_THREADS: Final = 32
_IPV4_IN_IPV6: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: NAT64
_REFUSED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local; AWS, GCP, Azure, OpenStack metadata
        "100.100.100.200/32",  # Alibaba Cloud metadata
        "fe80::/10",  # link-local
        "fd00:ec2::254/128",  # AWS metadata over IPv6
        "fd20:ce::254/128",  # GCP metadata over IPv6
    )
)


Port = Annotated[int, Field(ge=1, le=65535)]


class Family(StrEnum):
    """Which addresses of a name are used."""

    ANY = "any"
    IPV4 = "4"
    IPV6 = "6"


_FAMILIES: Final = {
    Family.ANY: socket.AF_UNSPEC,
    Family.IPV4: socket.AF_INET,
    Family.IPV6: socket.AF_INET6,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host (a name or an address) and a port."""

    host: str
    port: int
    family: Family = Family.ANY

    def __str__(self) -> str:
        """Give `host:port`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@lru_cache(maxsize=4096)
def literal_address(host: str) -> str | None:
    """Give `host` in canonical form if it is an IP address, else None."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def is_refused(address: str) -> bool:
    """Tell whether an IP address is link-local or a cloud's metadata service, also when written inside IPv6."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip.sixtofour:
            ip = ip.sixtofour
        elif ip in _IPV4_IN_IPV6:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        else:
            ip = ipaddress.IPv6Address(int(ip))  # without its zone
    return any(ip in network for network in _REFUSED if network.version == ip.version)


async def find_addresses(attempt: Attempt, endpoint: Endpoint) -> tuple[str, ...]:
    """Give the addresses of `endpoint` that may be asked, in the resolver's order; at least one.

    Raises:
        FaultError: the name has no address (down), or only refused ones (unknown).
    """
    literal = literal_address(endpoint.host)
    addresses = (literal,) if literal else await _lookup(attempt, endpoint)
    if attempt.context.allow_metadata_addresses:
        return addresses
    allowed = addresses
    for address in addresses:
        if is_refused(address):
            allowed = tuple(address for address in addresses if not is_refused(address))
            break
    if not allowed:
        raise FaultError(
            f"will not connect to {addresses[0]}: link-local and metadata addresses are refused unless allowed",
            Verdict.UNKNOWN,
        )
    return allowed


async def _lookup(attempt: Attempt, endpoint: Endpoint) -> tuple[str, ...]:
    attempt.stage = f"resolving {endpoint.host}"
    began_s = now_s()
    try:
        return await _LOOKUPS.find(endpoint.host, _FAMILIES[endpoint.family])
    except socket.gaierror as error:
        reason = (error.strerror or str(error)).lower()
        raise FaultError(f"cannot resolve {endpoint.host}: {reason}") from None
    except ValueError:  # the name cannot be encoded, or holds a null byte
        raise FaultError(f"cannot resolve {endpoint.host}: not a valid host name") from None
    finally:
        attempt.dns_s = (attempt.dns_s or 0.0) + now_s() - began_s


class _Lookups:
    """Lookups under way; checks that ask for the same name at the same time share one answer."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._pending: dict[tuple[str, int], Future[tuple[str, ...]]] = {}

    async def find(self, host: str, family: int) -> tuple[str, ...]:
        key = (host, family)
        answer = self._pending.get(key)
        if answer is None:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="holdfast-dns")
            answer = self._threads.submit(_ask_system, host, family)
            self._pending[key] = answer
            answer.add_done_callback(lambda _: self._pending.pop(key, None))
        # Shielded: one check that gives up must not cancel the lookup of the others.
        return await asyncio.shield(asyncio.wrap_future(answer))


def _ask_system(host: str, family: int) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


_LOOKUPS: Final = _Lookups()
