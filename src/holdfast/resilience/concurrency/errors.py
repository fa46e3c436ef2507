"""What a pool says when it cannot serve."""

from __future__ import annotations

from holdfast.resilience.errors import ResilienceError


class PoolClosed(ResilienceError):
    """The pool takes no more work, or lends no more: it is being ended."""


class PoolExhausted(ResilienceError):
    """Every resource is in use, and none came back in time."""
