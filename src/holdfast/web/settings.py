"""Settings of the HTTP server: `[web]` in holdfast.toml. Where it listens is `[server]`'s matter."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the server accepts and how it ends.

    Attributes:
        max_body: largest request body, before and after decompression.
        max_requests: requests answered at once; more are told to come back.
        trusted_proxies: addresses or networks of reverse proxies whose X-Forwarded-For and -Proto are believed.
        public_metrics: whether `/metrics` answers without a token; off, it asks for `web.metrics`.
        shutdown_grace: how long running requests may take when the server stops.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    max_body: Size = 16_000_000
    max_requests: int = 1000
    trusted_proxies: tuple[str, ...] = ()
    public_metrics: bool = True
    shutdown_grace: Duration = 5.0


SECTION = Section("web", WebSettings)
