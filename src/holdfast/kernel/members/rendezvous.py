"""Rendezvous hashing: each key goes to the member with the highest hash of both, so that a change moves few keys.

Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection


def owner_of(key: str, members: Collection[str]) -> str | None:
    """Give the member that has `key`, the same on every process; None if there are no members."""
    return max(members, key=lambda member: (_weight(member, key), member), default=None)


def _weight(member: str, key: str) -> bytes:
    return hashlib.blake2b(f"{member}\0{key}".encode(), digest_size=8).digest()
