"""Finds the shop: beside a checkout, or bundled in the wheel."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import holdfast
from holdfast.kernel.errors import ConflictError, NotFoundError

SHOP_PORTS: Final = (7000, 7001, 7002, 7003, 7004, 7005, 7013)


@dataclass(frozen=True, slots=True)
class ShopPlace:
    """Where the shop's code and its ops folder are."""

    code: Path
    ops: Path


def find_shop(folder: Path | None = None) -> ShopPlace:
    """Give the shop's place: `folder`, else `examples/shop` beside the checkout, else the copy in the wheel.

    Raises:
        NotFoundError: there is none; the message names where it was looked for.
    """
    package = Path(holdfast.__file__).parent
    candidates = [folder] if folder else [package.parents[1] / "examples" / "shop", package / "examples" / "shop"]
    for candidate in candidates:
        if (candidate / "src" / "shop" / "__main__.py").is_file():
            return ShopPlace(candidate / "src", candidate / "ops")
    looked = ", ".join(map(str, candidates))
    raise NotFoundError(f"the shop is not at {looked}", hint="name its folder: holdfast demo --shop DIR")


def free_port(preferred: int) -> int:
    """Give `preferred` when nothing listens there, else any free port on loopback."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConflictError("no port is free on loopback")


def demand_shop_ports() -> None:
    """Raise ConflictError when a port of the shop is taken; its checks name them, so they cannot move."""
    for port in SHOP_PORTS:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise ConflictError(
                    f"port {port} is in use, and the shop needs it", hint="is another demo running? Stop it first"
                )
