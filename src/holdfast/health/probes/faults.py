"""What stops an attempt before a verdict on the target's answer, in words that a responder understands.

Knows the operating system's and OpenSSL's errors. Drivers' own errors are translated by the kind that uses the driver.
"""

from __future__ import annotations

import errno
import os
import ssl
from typing import Final

from holdfast.health.verdict import Verdict

# Shortages of this host: they say nothing about the target.
_OURS: Final = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.EACCES,
        errno.EPERM,
        errno.EAFNOSUPPORT,
    }
)


class FaultError(Exception):
    """An attempt that ended early: the verdict it means and one line that says why."""

    def __init__(self, message: str, verdict: Verdict = Verdict.DOWN) -> None:
        super().__init__(message)
        self.message = message
        self.verdict = verdict


def explain(error: OSError, stage: str) -> FaultError:
    """Translate an error of the system or of TLS that happened while `stage` went on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return FaultError(f"the certificate is not trusted: {error.verify_message or error.reason}")
    if isinstance(error, ssl.SSLError):
        return FaultError(f"TLS failed: {_tls_reason(error)} while {stage}")
    verdict = Verdict.UNKNOWN if error.errno in _OURS else Verdict.DOWN
    return FaultError(f"{_system_reason(error)} while {stage}", verdict)


def _tls_reason(error: ssl.SSLError) -> str:
    reason = error.reason or str(error) or type(error).__name__
    return reason.lower().replace("_", " ")


def _system_reason(error: OSError) -> str:
    """Give the kernel's own words: event loops wrap them in longer ones that repeat the address."""
    if error.errno:
        return os.strerror(error.errno).lower()
    plain: dict[type[OSError], str] = {
        ConnectionResetError: "connection reset by peer",
        ConnectionRefusedError: "connection refused",
        ConnectionAbortedError: "connection aborted",
        BrokenPipeError: "connection closed by peer",
    }
    return plain.get(type(error)) or str(error) or type(error).__name__
