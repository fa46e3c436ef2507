"""Which addresses outbound calls may reach: all but link-local ones and those that serve cloud credentials.

Private and loopback networks are open, because a platform that watches services lives among them. Judges addresses
only; a name is judged by what it resolved to, at the moment of connecting (`network`).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.http.errors import AddressRefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

REFUSED: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ip_network(text), why)
    for text, why in (
        ("169.254.0.0/16", "link-local, where clouds serve credentials"),
        ("fe80::/10", "link-local"),
        ("fd00:ec2::/32", "the metadata service of AWS"),
        ("100.100.100.200/32", "the metadata service of Alibaba Cloud"),
        ("168.63.129.16/32", "the metadata service of Azure"),
        ("192.0.0.192/32", "the metadata service of Oracle Cloud"),
        ("fd20:ce::/32", "the metadata service of Google Cloud"),
        ("0.0.0.0/8", "not a destination"),
        ("::/128", "not a destination"),
        ("224.0.0.0/4", "multicast"),
        ("ff00::/8", "multicast"),
        ("255.255.255.255/32", "broadcast"),
    )
)
# IPv6 forms that carry an IPv4 address, and the bits that follow it: NAT64 (RFC 6052), 6to4 (RFC 3056), and the
# deprecated IPv4-compatible form (RFC 4291, 2.5.5.1).
_CARRIERS: Final = ((IPv6Network("64:ff9b::/96"), 0), (IPv6Network("2002::/16"), 80), (IPv6Network("::/96"), 0))


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Says whether an address may be reached; `allowed` networks win over the refused ones."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, allow: tuple[str, ...]) -> AddressPolicy:
        """Read the setting `outbound.allow`."""
        networks: list[Network] = []
        for text in allow:
            try:
                networks.append(ip_network(text, strict=False))
            except ValueError:
                raise InvalidError(
                    f"{text!r} is not a network",
                    hint="write one such as 169.254.10.0/24 or fe80::/64",
                    place=Place(field="outbound.allow"),
                ) from None
        return cls(tuple(networks))

    def refusal(self, address: Address) -> str:
        """Give why `address` may not be reached, or nothing."""
        forms = _forms(address)
        if any(_is_in(form, network) for form in forms for network in self.allowed):
            return ""
        return next((why for form in forms for network, why in REFUSED if _is_in(form, network)), "")

    def check(self, host: str, address: str) -> None:
        """Refuse `address`, to which `host` resolved, if it may not be reached.

        Raises:
            AddressRefusedError: it may not; the message names both and the setting that allows it.
        """
        why = self.refusal(ip_address(address.partition("%")[0]))
        if why:
            target = host if host == address else f"{host} ({address})"
            raise AddressRefusedError(
                f"calls to {target} are refused: the address is {why}",
                hint="add its network to outbound.allow if it is meant",
            )


def _is_in(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _forms(address: Address) -> tuple[Address, ...]:
    """Give the address and the IPv4 addresses that it may stand for."""
    if isinstance(address, IPv4Address):
        return (address,)
    mapped = address.ipv4_mapped
    if mapped is not None:
        return (address, mapped)
    carried = [
        IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
        for network, shift in _CARRIERS
        if address in network and int(address) > 0xFFFF
    ]
    return (address, *carried)
