"""What one query may cost; a query that would cost more is refused by name instead of slowing everybody.

The queue in front, with its fairness between tenants, is the API's.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """Bounds of one query: of what it fetches, of its steps, of the memory of its grids and of its time."""

    max_series: int = 1_000_000
    max_samples: int = 50_000_000
    max_steps: int = 11_000
    max_bytes: int = 2_000_000_000
    max_seconds: float = 120.0
