"""Settings of pushed metrics: `[push]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class PushSettings:
    """How pushed groups are kept.

    Attributes:
        interval: how often each group is written again, so that its series do not go stale.
        max_groups: most groups of one tenant.
        max_body: largest body packed with snappy, after decompression; of all others, `web.max_body` holds.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    interval: Annotated[Duration, Field(ge=1)] = 15.0
    max_groups: Annotated[int, Field(ge=1)] = 10_000
    max_body: Size = 16_000_000


SECTION: Final = Section("push", PushSettings)
