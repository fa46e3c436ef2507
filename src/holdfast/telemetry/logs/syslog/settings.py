"""Settings of syslog: `[syslog]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Size


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
        max_message: the longest message; longer ones are counted and left out.
        max_connections: connections at once.
        queue: messages that wait for the store; beyond it datagrams are lost and counted, connections wait.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    udp_listen: str = ""
    tcp_listen: str = ""
    tls_listen: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    tenant: str = "default"
    max_message: Size = 65_536
    max_connections: Annotated[int, Field(ge=1)] = 1000
    queue: Annotated[int, Field(ge=100)] = 10_000


SECTION: Final = Section("syslog", SyslogSettings)
