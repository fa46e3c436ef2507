"""Random secrets and their hashes: sessions, API tokens, setup links.

They carry 256 random bits, so one SHA-256 is enough: there is nothing to guess and nothing to slow down.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.secrets import Secret

_TOKEN: Final = re.compile(r"hf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """An API token taken apart."""

    id: str
    secret: Secret

    def __str__(self) -> str:
        """Give it without its secret."""
        return f"hf_{self.id}_***"

    def whole(self) -> Secret:
        """Give the token as its holder keeps it."""
        return Secret(f"hf_{self.id}_{self.secret.reveal()}")


def new_secret() -> Secret:
    """Give 256 random bits as 43 characters."""
    return Secret(secrets.token_urlsafe(32))


def new_token() -> TokenKey:
    """Make an API token."""
    return TokenKey(secrets.token_hex(6), new_secret())


def parse_token(text: str) -> TokenKey | None:
    """Read `hf_<id>_<secret>`, or give None."""
    match = _TOKEN.fullmatch(text)
    return TokenKey(match[1], Secret(match[2])) if match else None


def hash_secret(secret: Secret) -> str:
    """Give what the database keeps."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()


def is_secret(secret: Secret, hashed: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(hash_secret(secret), hashed)


def csrf_token(session: Secret) -> str:
    """Derive the token that the console sends with every change; who cannot read the answer cannot know it."""
    return hmac.new(session.reveal().encode(), b"holdfast csrf", hashlib.sha256).hexdigest()
