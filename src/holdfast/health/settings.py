"""Settings of health: `[health]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """How checks are run.

    Attributes:
        concurrency: checks that are asked at once; more wait their turn.
        breaker: how long a check that runs more often than this leaves a target alone that is down.
        queue_results: results that may wait for the store; beyond it the oldest are given up.
        allow_metadata_addresses: let checks ask link-local and cloud metadata addresses.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 512
    breaker: Duration = 10.0
    queue_results: Annotated[int, Field(ge=1000)] = 200_000
    allow_metadata_addresses: bool = False


SECTION: Final = Section("health", HealthSettings)
