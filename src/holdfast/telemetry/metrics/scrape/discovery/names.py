"""Targets that DNS records name: SRV, A, AAAA, MX, NS. Source: Prometheus 3, discovery/dns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from holdfast import journal
from holdfast.kernel.errors import UnavailableError
from holdfast.telemetry.metrics.scrape.config import DnsDiscovery
from holdfast.telemetry.metrics.scrape.discovery.contract import Found, Tell

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics

TIMEOUT_S: Final = 10.0

Ask = Callable[[str, str], Awaitable[list[Any]]]
_log = journal.get_logger()


class NamedTargets:
    """Asks for the records of one section again and again; `ask` gives the records of a name and type."""

    def __init__(self, section: DnsDiscovery, clock: Clock, metrics: ScrapeMetrics, ask: Ask | None = None) -> None:
        self._section = section
        self._clock = clock
        self._metrics = metrics
        self._ask = ask or ask_system

    async def run(self, tell: Tell) -> None:
        """Ask for ever."""
        while True:
            await self.look_up(tell)
            await self._clock.sleep(self._section.refresh_interval)

    async def look_up(self, tell: Tell) -> None:
        """Ask once for every name; a name that gives no answer keeps the targets that it had."""
        for name in self._section.names:
            try:
                records = await self._ask(name, self._section.type)
            except UnavailableError as error:
                self._metrics.refreshes.labels("dns").inc()
                _log.warning("scrape.discovery_failed", name=name, error=str(error))
                continue
            tell(name, [_found(name, record, self._section.port) for record in records])


async def ask_system(name: str, kind: str) -> list[Any]:
    """Ask the system's resolvers; a name that does not exist has no records.

    Raises:
        UnavailableError: nobody answers.
    """
    import dns.asyncresolver  # noqa: PLC0415 -- 0.1 s that most starts need not spend
    import dns.exception  # noqa: PLC0415 -- the same
    import dns.resolver  # noqa: PLC0415 -- the same

    try:
        answer = await dns.asyncresolver.resolve(name, kind, lifetime=TIMEOUT_S, search=True)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise UnavailableError(f"the records {kind} of {name} cannot be looked up: {error}") from None
    return list(answer)


def _found(name: str, record: Any, port: int) -> Found:
    """Give a record as a target, with the labels of Prometheus."""
    labels = {"__meta_dns_name": name}
    kind = record.rdtype.name
    if kind == "SRV":
        target = record.target.to_text()
        labels["__meta_dns_srv_record_target"] = target
        labels["__meta_dns_srv_record_port"] = str(record.port)
        host, port = target.rstrip("."), record.port
    elif kind in {"MX", "NS"}:
        target = (record.exchange if kind == "MX" else record.target).to_text()
        labels[f"__meta_dns_{kind.lower()}_record_target"] = target
        host = target.rstrip(".")
    else:
        host = f"[{record.address}]" if kind == "AAAA" else record.address
    return {**labels, "__address__": f"{host}:{port}"}
