"""`ip("...")`: whether a text holds an address of a set, which is one address, a range `a-b` or a network `a/n`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from holdfast.telemetry.metrics.promql.quoting import quote

_HINT: Final = re.compile(  # where an address may begin, which is not at the very end
    r"(?P<v4>[0-9](?=.{0,2}\.)(?=...))|(?P<v6>(?=::[0-9a-fA-F]|[0-9a-fA-F]{1,4}:)(?=.{5}))", re.DOTALL
)
_SPANS: Final = {"v4": re.compile(r"[0-9.]*"), "v6": re.compile(r"[0-9a-fA-F:.]*")}

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
        message = f"ip: invalid pattern: {quote(text)}"
        raise ValueError(message) from error
    if low.version != high.version:
        message = f"ip: invalid pattern: {quote(text)}"
        raise ValueError(message)
    bottom, top = int(low), int(high)
    return lambda address: address.version == low.version and bottom <= int(address) <= top


def has_address(text: str, holds: Holds) -> bool:
    """Tell whether any address in a line is in the set.

    As Loki has it: all letters that may be part of an address are read together, so one with a dot behind it, as at the
    end of a sentence, is none.
    """
    at = 0
    while (hint := _HINT.search(text, at)) is not None:
        span = _SPANS[hint.lastgroup or ""].match(text, hint.start())
        assert span is not None  # it matches nothing too
        address = read_address(span[0])
        if address is not None and holds(address):
            return True
        at = span.end() + 1
    return False


def read_address(text: str) -> Address | None:
    """Give the address that a text is; None if it is none."""
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
