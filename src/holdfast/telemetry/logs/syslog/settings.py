"""Settings of syslog: `[syslog]` in `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Size


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("it is no time zone; write one such as Europe/Berlin") from None
    return name


@dataclass(frozen=True, slots=True)
class SyslogSettings:
    """Where syslog is taken. Nobody proves who they are there: let only those reach it who may write.

    Attributes:
        udp_listen: address such as `0.0.0.0:514` for datagrams; empty for none.
        tcp_listen: address for plain connections; empty for none.
        tls_listen: address for TLS, such as `0.0.0.0:6514`; empty for none.
        tls_cert: file with our certificate and those between it and the root.
        tls_key: file with its key.
        tls_ca: file with the authorities of which clients must show a certificate; empty takes everybody.
        tenant: whose logs they are.
        time_zone: where clocks of senders stand whose times name no zone (RFC 3164), such as `Europe/Berlin`.
        allow: networks that may send, such as `10.0.0.0/8`; empty takes everybody.
        sender_rate: messages per second of one address; above it connections wait, and datagrams are lost and counted.
            0 for no limit.
        sender_connections: connections of one address at once.
        max_message: the longest message; longer ones are counted and left out.
        max_connections: connections at once.
        queue: messages that wait for the store; beyond it datagrams are lost and counted, connections wait.
        queue_size: the same in bytes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    udp_listen: str = ""
    tcp_listen: str = ""
    tls_listen: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    tenant: str = "default"
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    allow: Sequence[str] = ()
    sender_rate: Annotated[float, Field(ge=0)] = 0
    sender_connections: Annotated[int, Field(ge=1)] = 100
    max_message: Size = 65_536
    max_connections: Annotated[int, Field(ge=1)] = 1000
    queue: Annotated[int, Field(ge=100)] = 10_000
    queue_size: Size = 16_000_000


SECTION: Final = Section("syslog", SyslogSettings)
