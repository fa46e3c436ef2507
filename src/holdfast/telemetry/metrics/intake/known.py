"""References of series by the bytes in which senders write them, so that labels are parsed once per series.

A reference lives as long as the generation of its book; the memory of a tenant is dropped whole when that changes, and
now and then: what a series brings beside samples is read when it is met, and must be heard again before it expires.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.kernel.clock import Clock, SystemClock

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId


RENEWED_S: Final = 43_200.0  # the sink writes what is said of a family again after a day


@dataclass(slots=True)
class Memory:
    """What is known of one tenant; `numbers` are those of strings from which keys of `refs` may be made.

    Never emptied: whoever decodes with it at this moment must not see one half of it change.
    """

    generation: int
    refs: dict[Hashable, int] = field(default_factory=dict)
    numbers: dict[Hashable, int] = field(default_factory=dict)
    made_s: float = 0.0

    def is_good(self, generation: int, now_s: float) -> bool:
        """Tell whether its references mean something, and it is not too old."""
        return self.generation == generation and now_s - self.made_s < RENEWED_S

    def __len__(self) -> int:
        return len(self.refs) + len(self.numbers)


class KnownSeries:
    """What one door remembers, over all tenants about `most` series."""

    def __init__(self, most: int, clock: Clock | None = None) -> None:
        self._most = most
        self._clock = clock or SystemClock()
        self._tenants: dict[TenantId, Memory] = {}

    def __len__(self) -> int:
        return sum(map(len, self._tenants.values()))

    def of(self, tenant: TenantId, generation: int) -> Memory:
        """Give the memory of one tenant in this generation, to be read and added to."""
        memory, now_s = self._tenants.get(tenant), self._clock.monotonic()
        if memory is not None and memory.is_good(generation, now_s) and len(memory) < self._most:
            return memory
        if memory is None and len(self) >= self._most:
            self._tenants.clear()  # rare; learning anew costs some 10 us per series, once
        memory = self._tenants[tenant] = Memory(generation, made_s=now_s)
        return memory
