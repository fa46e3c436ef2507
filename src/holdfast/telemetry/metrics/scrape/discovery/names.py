"""Targets that DNS records name: SRV, A, AAAA, MX, NS. Source: Prometheus 3, discovery/dns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel.errors import UnavailableError
from holdfast.telemetry.metrics.scrape.config import DnsDiscovery
from holdfast.telemetry.metrics.scrape.discovery.contract import Found, Tell

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.name import Name

    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.discovery.failures import Failures

TIMEOUT_S: Final = 10.0

Ask = Callable[[str, str], Awaitable[list[Any]]]


class NamedTargets:
    """Asks for the records of one section again and again; `ask` gives the records of a name and type."""

    def __init__(self, section: DnsDiscovery, clock: Clock, failures: Failures, ask: Ask | None = None) -> None:
        self._section = section
        self._clock = clock
        self._failures = failures
        self._ask = ask or ask_system

    async def run(self, tell: Tell) -> None:
        """Ask for ever."""
        while True:
            await self.look_up(tell)
            await self._clock.sleep(self._section.refresh_interval)

    async def look_up(self, tell: Tell) -> None:
        """Ask once for every name, all at once; a name that gives no answer keeps the targets that it had."""
        async with asyncio.TaskGroup() as group:
            for name in self._section.names:
                group.create_task(self._look_up(name, tell))

    async def _look_up(self, name: str, tell: Tell) -> None:
        try:
            records = await self._ask(name, self._section.type)
        except UnavailableError as error:
            self._failures.note("dns", name, error)
        else:
            self._failures.clear("dns", name)
            tell(name, [_found(name, record, self._section.port) for record in records])


async def ask_system(name: str, kind: str) -> list[Any]:
    """Ask the resolvers that the system names now.

    Raises:
        UnavailableError: as `ask_resolver`, or the system names none.
    """
    import dns.asyncresolver  # noqa: PLC0415 -- 0.1 s that most starts need not spend

    try:
        resolver = dns.asyncresolver.Resolver()
    except (dns.exception.DNSException, OSError) as error:
        raise UnavailableError(f"the records {kind} of {name} cannot be looked up: {error}") from None
    return await ask_resolver(resolver, name, kind)


async def ask_resolver(resolver: Resolver, name: str, kind: str) -> list[Any]:
    """Ask for a name alone and in each search domain, until one exists; a name that exists nowhere has no records.

    Raises:
        UnavailableError: it is not found, and somewhere nobody answers: it may be there.
    """
    import dns.exception  # noqa: PLC0415 -- as above
    import dns.resolver  # noqa: PLC0415 -- as above

    fault: Exception | None = None
    try:
        wholes = _wholes(resolver, name)
    except dns.exception.DNSException as error:
        wholes, fault = [], error
    for whole in wholes:
        try:
            return list(await resolver.resolve(whole, kind, lifetime=TIMEOUT_S, raise_on_no_answer=False))
        except dns.resolver.NXDOMAIN:
            continue
        except (dns.exception.DNSException, OSError) as error:
            fault = error
    if fault is not None:
        raise UnavailableError(f"the records {kind} of {name} cannot be looked up: {fault}")
    return []


def _wholes(resolver: Resolver, name: str) -> list[Name]:
    """Give the absolute names that a name may stand for, in the order of resolv.conf(5)."""
    import dns.name  # noqa: PLC0415 -- as above

    given = dns.name.from_text(name, None)
    if given.is_absolute():
        return [given]
    domains = resolver.search or [resolver.domain]
    alone = given.concatenate(dns.name.root)
    further = [given.concatenate(domain) for domain in domains if domain != dns.name.root]
    return [alone, *further] if len(given.labels) > (resolver.ndots or 1) else [*further, alone]


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
