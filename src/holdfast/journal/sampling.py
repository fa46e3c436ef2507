"""Leaves out a share of the lines of a busy program, and never those that matter.

By chance, or by a key: all lines with the same value of a field (a correlation id, a customer) stay or go together, in
every process alike. What is kept carries no mark; `configure(...).sampled_out` tells how many went.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from holdfast.journal.redaction import describe

SPACE: Final = 1 << 32
WARNING: Final = 30


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which lines are kept.

    Attributes:
        rate: The share that is kept, 0 to 1.
        by: A field by whose value to decide; lines without it are decided by chance. None: every line by chance.
        events: Rates of single events, by name: `{"cache_hit": 0.01}`.
        always: Lines of this level (a number of `logging`) and above are all kept.
    """

    rate: float = 1.0
    by: str | None = None
    events: Mapping[str, float] = field(default_factory=dict)
    always: int = WARNING
    draw: Callable[[], float] = random.random  # noqa: S311 -- which lines stay is no secret

    def __post_init__(self) -> None:
        """Refuse rates that are none."""
        for name, rate in {"rate": self.rate, **self.events}.items():
            if not 0 <= rate <= 1:
                raise ValueError(f"sampling {name}={rate} is no share; give 0 (none) to 1 (all)")

    def admits(self, level: int, event: str, own: Mapping[str, Any], bound: Mapping[str, Any]) -> bool:
        """Tell whether a line is kept."""
        if level >= self.always:
            return True
        rate = self.events.get(event, self.rate) if self.events else self.rate
        if rate >= 1:
            return True
        key = None if self.by is None else own.get(self.by, bound.get(self.by))
        if key is None:
            return self.draw() < rate
        return zlib.crc32(describe(key).encode("utf-8", "replace")) < rate * SPACE
