"""The `tls` kind: the handshake and what the server's certificates say, also when they are not trusted."""

import ssl
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final

from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt, fact, listed, observe
from holdfast.health.probes.basic.tcp import Exchange, converse
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.limits import DaysLeft, DurationLimits, Latency, judge_days_left, judge_duration
from holdfast.health.probes.network import Endpoint, Family, Port, TlsOptions, open_wire
from holdfast.kernel.clock import SystemClock

_CLOCK: Final = SystemClock()


@dataclass(frozen=True, slots=True)
class TlsSpec:
    """A TLS server and its certificates.

    Attributes:
        host: name or address.
        port: TCP port.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        before_tls: turns of a conversation before the handshake, as STARTTLS in SMTP and IMAP needs.
        tls: whom to trust and who we are; `min_version` is the oldest protocol to accept.
        names: host names that the certificate must cover, besides the one that is asked for.
        certificate: days that every certificate of the chain must still last.
        latency: limits on the time of the handshake.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port = 443
    ip: Family = Family.ANY
    before_tls: tuple[Exchange, ...] = ()
    tls: TlsOptions = field(default_factory=TlsOptions)
    names: tuple[str, ...] = ()
    certificate: DaysLeft = field(default_factory=DaysLeft)
    latency: Latency = field(default_factory=DurationLimits)


@dataclass(frozen=True, slots=True)
class TlsProbe:
    """Shakes hands and reads certificates."""

    spec: TlsSpec
    endpoint: Endpoint

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        try:
            return await self._shake_hands(attempt, self.spec.tls)
        except ssl.SSLCertVerificationError as error:
            attempt.down(f"the certificate is not trusted: {error.verify_message or error.reason}")
        # Why it is not trusted is often plain from what it says, so look at it without trusting it.
        return await self._shake_hands(attempt, replace(self.spec.tls, verify=False))

    async def _shake_hands(self, attempt: Attempt, options: TlsOptions) -> str:
        async with open_wire(attempt, self.endpoint) as wire:
            for turn in self.spec.before_tls:
                await converse(attempt, wire, turn)
            await wire.start_tls(self.endpoint, options)
            assert wire.tls is not None
            peer = wire.tls
        judge_duration(attempt, "a handshake time", attempt.tls_s or 0.0, self.spec.latency)
        cipher = peer.cipher()
        attempt.facts["tls_version"] = peer.version() or ""
        attempt.facts["cipher"] = cipher[0] if cipher else ""
        days = self._judge_chain(attempt, _chain_of(peer))
        return f"{peer.version()} handshake, the certificate lasts {days:.0f} days"

    def _judge_chain(self, attempt: Attempt, chain: list[Any]) -> float:
        from cryptography import x509  # noqa: PLC0415 - loaded by the first check of certificates

        leaf = chain[0]
        names = _names_of(leaf, x509)
        days = _days_until(leaf.not_valid_after_utc)
        attempt.facts.update(
            subject=fact(leaf.subject.rfc4514_string()),
            issuer=fact(leaf.issuer.rfc4514_string()),
            names=fact(", ".join(names)),
            not_after=leaf.not_valid_after_utc.isoformat(),
            certificate_days_left=round(days, 2),
            chain_length=len(chain),
        )
        judge_days_left(attempt, "the certificate", days, self.spec.certificate)
        for authority in chain[1:]:
            named = fact(authority.subject.rfc4514_string())
            left = _days_until(authority.not_valid_after_utc)
            judge_days_left(attempt, f"the certificate of {named}", left, self.spec.certificate)
        missing = [name for name in self.spec.names if not any(_covers(pattern, name) for pattern in names)]
        if missing:
            attempt.down(f"expected a certificate for {listed(missing)}, found one for {listed(names)}")
        return days


def _days_until(moment: datetime) -> float:
    return (moment - _CLOCK.now()).total_seconds() / 86_400


def _chain_of(peer: ssl.SSLObject) -> list[Any]:
    """Give the server's certificate and, where it was verified, those that vouch for it."""
    from cryptography import x509  # noqa: PLC0415 - loaded by the first check of certificates

    encoded = peer.getpeercert(binary_form=True)
    if not encoded:
        raise FaultError("the server showed no certificate")
    # Public as SSLObject.get_verified_chain only from Python 3.13 on.
    inner = getattr(peer, "_sslobj", None)
    above = (inner.get_verified_chain() or [])[1:] if peer.getpeercert() and inner is not None else []
    try:
        leaf = x509.load_der_x509_certificate(encoded)
        return [leaf, *(x509.load_pem_x509_certificate(link.public_bytes().encode()) for link in above)]
    except ValueError as error:
        raise FaultError(f"the certificate cannot be parsed: {error}") from None


def _names_of(certificate: Any, x509: Any) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def _covers(pattern: str, name: str) -> bool:
    """Match a name against a certificate's, with a wildcard for the whole first label only (RFC 9525, 6.3)."""
    wanted, offered = name.lower().rstrip("."), pattern.lower().rstrip(".")
    if offered.startswith("*."):
        label, _, rest = wanted.partition(".")
        return bool(label) and rest == offered[2:]
    return wanted == offered


def build(spec: TlsSpec) -> TlsProbe:
    """Make the probe of a spec."""
    return TlsProbe(spec, Endpoint(spec.host, spec.port, spec.ip))


KIND: Final = ProbeKind("tls", TlsSpec, build)
