"""`ip("...")`: whether a text holds an address of a set, which is one address, a range `a-b` or a network `a/n`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

_V4: Final = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.]*[0-9])")
_V6: Final = re.compile(r"(?<![0-9a-fA-F:.])[0-9a-fA-F:]*:[0-9a-fA-F:.]*[0-9a-fA-F:](?![0-9a-fA-F:])")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Holds = Callable[[Address], bool]


def parse_addresses(text: str) -> Holds:
    """Give the question whether an address is in a set.

    Raises:
        ValueError: the text names no set of addresses.
    """
    try:
        if "/" in text:
            network = ipaddress.ip_network(text, strict=False)
            return lambda address: address.version == network.version and address in network
        first, _, last = text.partition("-")
        low = ipaddress.ip_address(first.strip())
        high = ipaddress.ip_address(last.strip()) if last else low
    except ValueError as error:
        message = f"ip: invalid pattern: {text}"
        raise ValueError(message) from error
    if low.version != high.version:
        message = f"ip: invalid pattern: {text}"
        raise ValueError(message)
    bottom, top = int(low), int(high)
    return lambda address: address.version == low.version and bottom <= int(address) <= top


def has_address(text: str, holds: Holds) -> bool:
    """Tell whether any address in a line is in the set."""
    for pattern in (_V4, _V6):
        for match in pattern.finditer(text):
            address = read_address(match[0])
            if address is not None and holds(address):
                return True
    return False


def read_address(text: str) -> Address | None:
    """Give the address that a text is; None if it is none."""
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
