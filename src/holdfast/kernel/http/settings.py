"""Settings of outbound calls: `[outbound]` in holdfast.toml."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """How calls that Holdfast makes for people and channels behave.

    Attributes:
        allow: networks (`169.254.10.0/24`) or addresses that may be reached although they are link-local or serve
            cloud metadata.
        connect_timeout: time for name lookup, TCP and TLS.
        read_timeout: longest silence of the other side.
        total_timeout: time for the whole call with its redirects.
        max_answer: largest answer, after decompression.
        max_connections: connections at once, to all hosts together.
        max_redirects: redirects followed before giving up.
        ca_file: certificates of further authorities, PEM; empty for the system's only.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    allow: tuple[str, ...] = ()
    connect_timeout: Duration = 5.0
    read_timeout: Duration = 10.0
    total_timeout: Duration = 30.0
    max_answer: Size = 10_000_000
    max_connections: int = 100
    max_redirects: int = 5
    ca_file: str = ""


SECTION = Section("outbound", OutboundSettings)
