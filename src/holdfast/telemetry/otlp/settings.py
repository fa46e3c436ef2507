"""Settings of the OTLP transports: `[otlp]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import ConfigDict

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Size


@dataclass(frozen=True, slots=True)
class OtlpSettings:
    """Where OTLP over gRPC is taken; OTLP over HTTP comes to the server's own port.

    Attributes:
        grpc_listen: address of the gRPC server; empty for none.
        max_message: largest gRPC message after decompression; for HTTP, `web.max_body` holds.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    grpc_listen: str = "127.0.0.1:4317"
    max_message: Size = 16_000_000


SECTION: Final = Section("otlp", OtlpSettings)
