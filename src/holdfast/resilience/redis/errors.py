"""What goes wrong between the adapters and Redis."""

from __future__ import annotations

from holdfast.resilience.errors import ResilienceError


class RedisAway(ResilienceError):
    """Redis does not answer, or refuses."""
