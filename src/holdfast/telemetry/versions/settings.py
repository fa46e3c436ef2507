"""How versions of services are watched: `[versions]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration


@dataclass(frozen=True, slots=True)
class VersionsSettings:
    """What counts as a deploy.

    Attributes:
        enabled: whether versions are heard from telemetry; recording deploys works without it.
        settle_after: a version that has not been heard for so long, while another has, runs no more;
            longer for one that is heard seldom.
        fresh_for: older records tell nothing about now: late and imported data makes no deploy.
        ignored_metrics: metrics named `..._build_info` that tell the version of something else than the service.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    enabled: bool = True
    settle_after: Annotated[Duration, Field(ge=60)] = 300.0
    fresh_for: Annotated[Duration, Field(ge=60)] = 900.0
    ignored_metrics: tuple[str, ...] = ("go_build_info",)


SECTION: Final = Section("versions", VersionsSettings)
