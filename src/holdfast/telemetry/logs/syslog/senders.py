"""Who may send syslog, and how much: networks that may, and for each address a rate and a number of connections.

Over a connection a sender above its rate waits; datagrams above it are lost and counted. Neither stops the others.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.logs.limits.allowance import Allowance

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.logs.syslog.settings import SyslogSettings

_REMEMBERED: Final = 10_000  # addresses; one forgotten begins with a full allowance again
_BURST_S: Final = 10.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Senders:
    """Judges senders by their address."""

    def __init__(self, settings: SyslogSettings, clock: Clock) -> None:
        """Read the networks.

        Raises:
            InvalidError: one is none.
        """
        self._networks = _networks(settings.allow)
        self._rate = settings.sender_rate
        self._most = settings.sender_connections
        self._clock = clock
        self._admitted: dict[str, bool] = {}
        self._allowances: dict[str, Allowance] = {}
        self._connections: Counter[str] = Counter()

    def admits(self, peer: str) -> bool:
        """Tell whether an address may send at all."""
        if not self._networks:
            return True
        known = self._admitted.get(peer)
        if known is None:
            if len(self._admitted) >= _REMEMBERED:
                self._admitted.clear()
            known = self._admitted[peer] = self._is_within(peer)
        return known

    def _is_within(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._networks)

    def wait_s(self, peer: str) -> float:
        """Give how long a sender has to wait for its next message; 0 if it may send it now, which is counted."""
        if not self._rate:
            return 0.0
        now_s = self._clock.monotonic()
        allowance = self._allowances.get(peer)
        if allowance is None:
            if len(self._allowances) >= _REMEMBERED:
                del self._allowances[next(iter(self._allowances))]
            allowance = self._allowances[peer] = Allowance(self._rate, 0, _BURST_S, now_s)
        wait_s = allowance.wait_s(now_s)
        if not wait_s:
            allowance.take(1, 0)
        return wait_s

    def open(self, peer: str) -> bool:
        """Count a connection; False if its sender has as many as it may."""
        if self._connections[peer] >= self._most:
            return False
        self._connections[peer] += 1
        return True

    def close(self, peer: str) -> None:
        """Take that a connection that `open` counted has ended."""
        self._connections[peer] -= 1
        if not self._connections[peer]:
            del self._connections[peer]


def _networks(given: Sequence[str]) -> list[Network]:
    found = []
    for number, each in enumerate(given):
        try:
            found.append(ipaddress.ip_network(each, strict=False))
        except ValueError as error:
            place = Place(field=f"syslog.allow[{number}]")
            raise InvalidError(f"{each!r} is no network: {error}", hint="such as 10.0.0.0/8", place=place) from None
    return found
