"""Who listens on this host: addresses, ports and, as far as we may see, processes. Asks the kernel, not the ports."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import psutil

_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1", "": "127.0.0.1"}  # noqa: S104 - what is listened on, not by us


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port in use. `process` is empty where the kernel does not tell us whose it is."""

    host: str
    port: int
    process: str = ""


def find_listeners() -> list[Listener]:
    """Give every listening TCP port once, by port; one that listens everywhere is reached by loopback."""
    found = (entry for entry in psutil.net_connections(kind="tcp") if entry.status == psutil.CONN_LISTEN)
    return pick_listeners(found, _name_process)


def pick_listeners(entries: Iterable[Any], name_process: Any) -> list[Listener]:
    """Choose one address per port: IPv4 loopback before IPv6, both before the others."""
    listeners: dict[int, Listener] = {}
    for entry in sorted(entries, key=lambda entry: (entry.laddr.port, _preference(entry.laddr.ip), entry.laddr.ip)):
        host = _ANY.get(entry.laddr.ip, entry.laddr.ip)
        if entry.laddr.ip == "::" and entry.family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
            host = "::1"
        known = listeners.get(entry.laddr.port)
        if known is None or (not known.process and entry.pid):
            listeners[entry.laddr.port] = Listener(host, entry.laddr.port, name_process(entry.pid))
    return sorted(listeners.values(), key=lambda listener: listener.port)


def _preference(address: str) -> int:
    if address.startswith("127.") or address in _ANY:
        return 0
    return 1 if address == "::1" else 2


def _name_process(pid: int | None) -> str:
    if not pid:
        return ""
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:  # gone since, or not ours to look at
        return ""
