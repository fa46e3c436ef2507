"""Streams by the bytes in which senders write them, so that labels are parsed once per stream.

What is known lives as long as the generation of the book; the memory of a tenant is dropped whole when that changes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.labels import Labels


class KnownStream(NamedTuple):
    """Its reference, and the structured metadata that all records sent with the same bytes share."""

    ref: int
    shared: Labels = ()


@dataclass(slots=True)
class StreamMemory:
    """What is known of one tenant."""

    generation: int
    streams: dict[Hashable, KnownStream] = field(default_factory=dict)


class KnownStreams:
    """What one door remembers, over all tenants about `most` streams."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tenants: dict[TenantId, StreamMemory] = {}

    def __len__(self) -> int:
        return sum(len(memory.streams) for memory in self._tenants.values())

    def of(self, tenant: TenantId, generation: int) -> StreamMemory:
        """Give the memory of one tenant in this generation, to be read and added to."""
        memory = self._tenants.get(tenant)
        if memory is not None and memory.generation == generation and len(memory.streams) < self._most:
            return memory
        if memory is None and len(self) >= self._most:
            self._tenants.clear()  # rare; learning anew costs some 20 us per stream, once
        memory = self._tenants[tenant] = StreamMemory(generation)
        return memory
