"""Identifiers that sort by the time they were made, and secrets shared through the data folder."""

import os
import secrets
import time
from pathlib import Path

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def now_ms() -> int:
    """Wall clock in milliseconds since 1970, UTC: the unit of every time column."""
    return time.time_ns() // 1_000_000


def new_id(prefix: str) -> str:
    """Return `prefix_` + 10 characters of time + 10 of chance, so that ids sort by age."""
    number = (now_ms() << 50) | secrets.randbits(50)
    letters = [_LETTERS[(number >> shift) & 31] for shift in range(95, -1, -5)]
    return f"{prefix}_{''.join(letters)}"


def shared_secret(path: Path) -> str:
    """Read a secret that all services of this data folder share; the first who asks makes it.

    The file is linked into place whole, so that no process ever reads a half-written secret.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another service was first: its secret counts
        finally:
            draft.unlink()
    return path.read_text().strip()
