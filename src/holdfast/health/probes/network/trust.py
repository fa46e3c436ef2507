"""Whom a probe trusts over TLS: spec of the options, contexts made from them, and what a certificate says.

Contexts are shared between checks with equal options and made again when a certificate file changes on disk.
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, ConfigDict

from holdfast.health.probes.faults import FaultError
from holdfast.health.verdict import Verdict

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How the target proves who it is, and how we do.

    Attributes:
        ca_file: PEM file of the authorities to trust instead of the system's.
        cert_file: PEM file of our own certificate, for mutual TLS.
        key_file: PEM file of its key, unless the certificate's file holds both.
        server_name: the name asked for (SNI) and verified, instead of the host's.
        verify: false accepts any certificate; its days left are still read.
        min_version: the oldest protocol version to accept.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None
    verify: bool = True
    min_version: Literal["1.2", "1.3"] = "1.2"


def _from_switch(given: Any) -> Any:
    return {True: {}, False: None}[given] if isinstance(given, bool) else given


DEFAULT_TLS: Final = TlsOptions()
Tls = Annotated[TlsOptions | None, BeforeValidator(_from_switch)]
"""A field that takes `true`, `false` or the options."""


def client_context(options: TlsOptions, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Give the shared context for `options`.

    Raises:
        FaultError: a file is missing or is not what it should be (unknown: the fault is ours).
    """
    files = tuple(path for path in (options.ca_file, options.cert_file, options.key_file) if path)
    try:
        stamps = tuple(Path(path).stat().st_mtime_ns for path in files)
        return _context(options, alpn, stamps)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or str(error)
        raise FaultError(f"cannot use the TLS files {', '.join(files)}: {reason}", Verdict.UNKNOWN) from None


@lru_cache(maxsize=256)
def _context(options: TlsOptions, alpn: tuple[str, ...], _stamps: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca_file)
    context.minimum_version = _VERSIONS[options.min_version]
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.cert_file:
        context.load_cert_chain(options.cert_file, options.key_file)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def expiry_of(peer: ssl.SSLObject | ssl.SSLSocket) -> datetime | None:
    """Give when the peer's certificate ends, verified or not; None if it showed none."""
    parsed = peer.getpeercert()
    if parsed:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(parsed["notAfter"])), UTC)
    encoded = peer.getpeercert(binary_form=True)
    if not encoded:
        return None
    from cryptography import x509  # noqa: PLC0415 - 10 MB that only checks of unverified peers need

    return x509.load_der_x509_certificate(encoded).not_valid_after_utc
