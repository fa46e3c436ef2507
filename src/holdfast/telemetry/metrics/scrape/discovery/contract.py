"""What a discovery is: something that runs for ever and tells, source by source, which targets there are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

Found = Mapping[str, str]
"""The labels of one target; `__address__` among them, and what is known of it as `__meta_...`."""

Tell = Callable[[str, Sequence[Found]], None]
"""Takes the targets of one source, which replace those that the source had before; none when the source is gone."""


class Discoverer(Protocol):
    """One way of finding targets."""

    async def run(self, tell: Tell) -> None:
        """Tell what is found, and again whenever it changes; returns only if nothing can ever change.

        A failure is counted and tried again; what was told before stays true until something else is told.
        """
        ...
