"""The TLS of one section of the file: its certificates, the name that the other side must have, versions."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.scrape.config import TlsConfig

_VERSIONS: Final = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


class NamedContext(ssl.SSLContext):
    """Asks for one name (SNI), and verifies that one, whatever host a connection goes to."""

    server_name: str

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 -- the standard library's signature
        server_hostname: str | bytes | None = None,  # noqa: ARG002 -- the host's, which is not asked for
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Wrap as the standard library does, the name put in the place of the host's."""
        return super().wrap_bio(incoming, outgoing, server_side, self.server_name, session)


def context_of(tls: TlsConfig, base: Path) -> ssl.SSLContext:
    """Make the context of a section whose relative paths start from `base`.

    Raises:
        InvalidError: a certificate or key cannot be read, or they do not belong together.
    """
    context: ssl.SSLContext
    if tls.server_name:
        context = named = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        named.server_name = tls.server_name
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if tls.ca or tls.ca_file:
            context.load_verify_locations(str(base / tls.ca_file) if tls.ca_file else None, cadata=tls.ca or None)
        else:
            context.load_default_certs()
        _load_own(context, tls, base)
    except (OSError, ssl.SSLError) as error:
        files = [name for name in (tls.ca_file, tls.cert_file, tls.key_file) if name]
        given = [name for name in ("ca", "cert", "key") if getattr(tls, name)]
        raise InvalidError(
            f"the certificates of tls_config ({', '.join((*files, *given))}) cannot be used: {error}"
        ) from None
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.min_version is not None:
        context.minimum_version = _VERSIONS[tls.min_version]
    if tls.max_version is not None:
        context.maximum_version = _VERSIONS[tls.max_version]
    return context


def version_of(base: Path, name: str) -> tuple[int, int]:
    """Give what changes with a file, so that a renewed certificate gets a client of its own."""
    if not name:
        return (0, 0)
    try:
        stat = (base / name).stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


def _load_own(context: ssl.SSLContext, tls: TlsConfig, base: Path) -> None:
    """Load the client's certificate; OpenSSL reads files only, so what stands in the section is one for a moment."""
    if not ((tls.cert or tls.cert_file) and (tls.key or tls.key_file)):
        return
    with ExitStack() as stack:
        certificate = _written(tls.cert, stack) if tls.cert else base / tls.cert_file
        key = _written(tls.key.reveal(), stack) if tls.key else base / tls.key_file
        context.load_cert_chain(certificate, key)


def _written(text: str, stack: ExitStack) -> Path:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-"))  # mode 0700
    path = Path(folder) / "own.pem"
    path.write_text(text, encoding="ascii")
    return path
