"""Identifiers: UUIDv7 (RFC 9562) as text, so that ids sort by creation, and the NewTypes that keep them apart."""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Final, NewType

TenantId = NewType("TenantId", str)
ServiceId = NewType("ServiceId", str)
UserId = NewType("UserId", str)
EventId = NewType("EventId", str)

DEFAULT_TENANT: Final = TenantId("default")

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def uuid7() -> uuid.UUID:
    """Give a UUIDv7; within one process every id is greater than the one before it.

    The 12 bits after the version count up within a millisecond (RFC 9562, 6.2, method 1); when they run out the
    millisecond is borrowed from the future.
    """
    global _last_ms, _counter  # noqa: PLW0603 - the order of ids is a property of the process
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, int.from_bytes(os.urandom(1), "big")
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        ms, count = _last_ms, _counter
    random_62 = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=(ms << 80) | (0x7 << 76) | (count << 64) | (0b10 << 62) | random_62)


def new_id() -> str:
    """Give a fresh UUIDv7 in its canonical text form (36 characters)."""
    return str(uuid7())
