"""Settings of the host's own measurements: `[host]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Whether and how often the machine that Holdfast runs on is measured.

    Attributes:
        enabled: false where another process measures this machine already.
        every: the time between two readings, 1s at least.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    enabled: bool = True
    every: Duration = 10.0

    def __post_init__(self) -> None:
        if self.every < 1.0:
            raise ValueError("every must be 1s or more")


SECTION = Section("host", HostSettings)
