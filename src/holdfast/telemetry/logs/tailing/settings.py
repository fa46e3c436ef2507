"""Settings of live tails: `[log_tails]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class TailSettings:
    """How many may follow logs, and what waits for them.

    Attributes:
        max_tails: tails that are open at once in a process; more are told to come later.
        max_per_tenant: those of one tenant.
        max_age: a tail is closed after so long; clients open it again.
        buffer: records that wait for slow readers, all tenants together; older ones are dropped and told as such.
        poll_every: how often the store is asked where other processes take logs in.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    max_tails: Annotated[int, Field(ge=0)] = 100
    max_per_tenant: Annotated[int, Field(ge=0)] = 20
    max_age: Annotated[Duration, Field(ge=1)] = 3600.0
    buffer: Size = 32_000_000
    poll_every: Annotated[Duration, Field(ge=0.1)] = 1.0


SECTION: Final = Section("log_tails", TailSettings)
