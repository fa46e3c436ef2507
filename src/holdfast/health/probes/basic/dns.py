"""The `dns` kind: one question to one name server, of any record type, over UDP, TCP or TLS."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, fact, listed, now_s, observe, quote, span
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.limits import DurationLimits, Latency, judge_duration
from holdfast.health.probes.network import (
    Endpoint,
    Family,
    Port,
    TlsOptions,
    ask_by_datagram,
    literal_address,
    open_wire,
)
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import InvalidError, Place

_MAX_ANSWER_BYTES: Final = 65_535


class Transport(StrEnum):
    """How the question travels; an answer over UDP that was cut short is asked for again over TCP."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class DnsSpec:
    """A question and what its answer must be.

    Attributes:
        name: the name to ask about; an address asks for its PTR record.
        type: record type, such as A, AAAA, MX, TXT, SOA, SRV, CAA.
        server: name server to ask, a name or an address; else the first one that this host is set up with.
        port: its port: 53, or 853 over TLS.
        transport: `udp`, `tcp` or `tls`.
        ip: which addresses of the server's name to use: `any`, `4` or `6`.
        tls: whom to trust over TLS.
        recursion: whether the server shall ask others.
        rcode: expected response code, such as NOERROR or NXDOMAIN.
        values: exactly these values, in any order, written as in a zone file.
        contains: values that must be among those found.
        matches: a regular expression that at least one value must match.
        authenticated: true if the server must have verified the answer with DNSSEC (the AD flag).
        authoritative: true if the server must be an authority for the name (the AA flag).
        latency: limits on the whole attempt.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    name: str
    type: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$")] = "A"
    server: str | None = None
    port: Port | None = None
    transport: Transport = Transport.UDP
    ip: Family = Family.ANY
    tls: TlsOptions = field(default_factory=TlsOptions)
    recursion: bool = True
    rcode: Annotated[str, Field(pattern=r"^[A-Z]+$")] = "NOERROR"
    values: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    matches: re.Pattern[str] | None = None
    authenticated: bool = False
    authoritative: bool = False
    latency: Latency = field(default_factory=DurationLimits)


@dataclass(frozen=True, slots=True)
class DnsProbe:
    """Asks one question."""

    spec: DnsSpec
    ask: Callable[[], Any]
    wanted: frozenset[str]
    included: frozenset[str]

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        spec = self.spec
        question = self.ask()
        endpoint = Endpoint(spec.server or _system_server(), self._port(), spec.ip)
        answer = await _send(attempt, endpoint, spec, question)
        values = _values_of(answer, question.question[0].rdtype)
        self._note_facts(attempt, answer, values)
        self._judge(attempt, values)
        judge_duration(attempt, "an answer time", now_s() - attempt.started_s, spec.latency)
        elapsed = span(now_s() - attempt.started_s)
        return f"{spec.name} {spec.type} is {listed(values) if values else spec.rcode}, said in {elapsed}"

    def _port(self) -> int:
        return self.spec.port or (853 if self.spec.transport is Transport.TLS else 53)

    def _note_facts(self, attempt: Attempt, answer: Any, values: list[str]) -> None:
        import dns.flags  # noqa: PLC0415 - loaded when the probe was built
        import dns.rcode  # noqa: PLC0415

        attempt.facts.update(
            rcode=dns.rcode.to_text(answer.rcode()),
            records=len(values),
            values=fact(", ".join(values)),
            authenticated=bool(answer.flags & dns.flags.AD),
            authoritative=bool(answer.flags & dns.flags.AA),
        )
        if answer.answer:
            attempt.facts["ttl_s"] = min(rrset.ttl for rrset in answer.answer)

    def _judge(self, attempt: Attempt, values: list[str]) -> None:
        spec, facts = self.spec, attempt.facts
        about = f"{spec.name} {spec.type}"
        if facts["rcode"] != spec.rcode:
            attempt.down(f"expected {spec.rcode} for {about}, found {facts['rcode']}")
            return
        if spec.rcode == "NOERROR" and not values:
            attempt.down(f"expected a record for {about}, found none")
            return
        if self.wanted and self.wanted != set(values):
            attempt.down(f"expected {about} to be {listed(sorted(self.wanted))}, found {listed(values)}")
        if missing := sorted(self.included - set(values)):
            attempt.down(f"expected {listed(missing)} among {about}, found {listed(values)}")
        if spec.matches and not any(spec.matches.search(value) for value in values):
            attempt.down(f"expected {about} to match /{spec.matches.pattern}/, found {listed(values)}")
        if spec.authenticated and not facts["authenticated"]:
            attempt.down(f"expected an answer for {about} verified by DNSSEC, found the AD flag unset")
        if spec.authoritative and not facts["authoritative"]:
            attempt.down(f"expected an authoritative answer for {about}, found the AA flag unset")


async def _send(attempt: Attempt, endpoint: Endpoint, spec: DnsSpec, question: Any) -> Any:
    import dns.flags  # noqa: PLC0415 - loaded when the probe was built

    if spec.transport is not Transport.UDP:
        return await _send_by_stream(attempt, endpoint, spec, question)

    def accept(data: bytes) -> Any:
        return data if data[:2] == wire[:2] else None

    wire = question.to_wire()
    answer = _parse(await ask_by_datagram(attempt, endpoint, wire, accept), question)
    if answer.flags & dns.flags.TC:
        attempt.facts["truncated"] = True
        return await _send_by_stream(attempt, endpoint, spec, question)
    return answer


async def _send_by_stream(attempt: Attempt, endpoint: Endpoint, spec: DnsSpec, question: Any) -> Any:
    tls = spec.tls if spec.transport is Transport.TLS else None
    async with open_wire(attempt, endpoint, tls, _MAX_ANSWER_BYTES + 2) as wire:
        attempt.stage = f"waiting for an answer from {endpoint}"
        encoded = question.to_wire()
        wire.send(len(encoded).to_bytes(2, "big") + encoded)
        size = int.from_bytes(await wire.receive_exactly(2), "big")
        return _parse(await wire.receive_exactly(size), question)


def _parse(data: bytes, question: Any) -> Any:
    import dns.exception  # noqa: PLC0415 - loaded when the probe was built
    import dns.message  # noqa: PLC0415

    try:
        answer = dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as error:
        raise FaultError(f"the answer is not DNS: {str(error).lower() or type(error).__name__}") from None
    if not question.is_response(answer):
        raise FaultError("the answer does not belong to the question")
    return answer


def _values_of(answer: Any, wanted: Any) -> list[str]:
    return sorted(record.to_text() for rrset in answer.answer if rrset.rdtype == wanted for record in rrset)


def _system_server() -> str:
    import dns.resolver  # noqa: PLC0415 - only checks that name no server need it

    try:
        servers = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration:
        servers = []
    if not servers or not isinstance(servers[0], str):
        raise FaultError("this host is set up with no name server: write one under server", Verdict.UNKNOWN)
    return servers[0]


def build(spec: DnsSpec) -> DnsProbe:
    """Compile the question and the expected values.

    Raises:
        InvalidError: the name, the type or a value cannot be.
    """
    import dns.exception  # noqa: PLC0415 - loaded by the first dns check
    import dns.flags  # noqa: PLC0415
    import dns.message  # noqa: PLC0415
    import dns.name  # noqa: PLC0415
    import dns.rcode  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415
    import dns.reversename  # noqa: PLC0415

    place = "name"
    try:
        literal = literal_address(spec.name)
        name = dns.reversename.from_address(literal) if literal else dns.name.from_text(spec.name)
        place = "type"
        kind = dns.rdatatype.from_text("PTR" if literal else spec.type)
        place = "rcode"
        dns.rcode.from_text(spec.rcode)
        place = "values"
        wanted = _canonical(spec.values, kind)
        place = "contains"
        included = _canonical(spec.contains, kind)
    except (dns.exception.DNSException, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise InvalidError(f"not possible in DNS: {quote(reason)}", place=Place(field=place)) from None
    flags = (dns.flags.RD if spec.recursion else 0) | dns.flags.AD  # RFC 6840, 5.7: AD asks for AD

    def ask() -> Any:
        return dns.message.make_query(name, kind, flags=flags, use_edns=0, payload=1232)

    return DnsProbe(spec, ask, wanted, included)


def _canonical(values: tuple[str, ...], kind: Any) -> frozenset[str]:
    """Write values as answers are written, so that `::0001` equals `::1` and quotes around text do not matter."""
    import dns.rdata  # noqa: PLC0415 - loaded by the first dns check
    import dns.rdataclass  # noqa: PLC0415

    return frozenset(dns.rdata.from_text(dns.rdataclass.IN, kind, value).to_text() for value in values)


KIND: Final = ProbeKind("dns", DnsSpec, build)
