"""Settings of how much may be sent: `[log_limits]` in `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size
from holdfast.telemetry.logs.level_words import Level

Lines = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class TenantRate:
    """How much a tenant may send.

    Attributes:
        lines_per_s: records; 0 for no limit.
        bytes_per_s: letters of bodies and of structured metadata; 0 for no limit.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    lines_per_s: Lines = 0
    bytes_per_s: Size = 0


@dataclass(frozen=True, slots=True)
class StreamLimit:
    """How much each stream may send that a selector matches; the first rule that matches wins.

    Attributes:
        match: a selector, such as `{env="dev"}`; empty for every stream.
        lines_per_s: records; 0 for no limit.
        bytes_per_s: letters of bodies and of structured metadata; 0 for no limit.
        max_line: the longest body; 0 for what `logs.max_line` says.
        tenant: whose streams; every tenant's if empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    match: str = ""
    lines_per_s: Lines = 0
    bytes_per_s: Size = 0
    max_line: Size = 0
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """Of which records only some are kept; the first rule that matches wins.

    Attributes:
        match: a selector, such as `{env="dev"}`; empty for every stream.
        levels: of which levels; if empty, of all but `error`, `critical` and `fatal`, which are kept.
        keep_one_in: one of so many is kept; records of one trace are kept or left out together.
        tenant: whose records; every tenant's if empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    keep_one_in: Annotated[int, Field(ge=1)]
    match: str = ""
    levels: Sequence[Level] = ()
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class LogLimitSettings:
    """How much a tenant and each stream may send, and what is sampled.

    Attributes:
        lines_per_s: records that a tenant may send; 0 for no limit. Above it senders get 429 with `Retry-After`.
        bytes_per_s: letters of bodies and of structured metadata that a tenant may send; 0 for no limit.
        tenants: other rates for single tenants, by their name.
        burst: how long the allowance of a quiet sender gathers, so that it may send so much at once.
        streams: rates and lengths for single streams, each `{match = '{env="dev"}', lines_per_s = 100}`.
        sampling: what is kept in part, each `{match = '{env="dev"}', levels = ["debug"], keep_one_in = 10}`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    lines_per_s: Lines = 0
    bytes_per_s: Size = 0
    tenants: Mapping[str, TenantRate] = field(default_factory=dict)
    burst: Annotated[Duration, Field(ge=1)] = 10.0
    streams: Sequence[StreamLimit] = ()
    sampling: Sequence[SamplingRule] = ()


SECTION: Final = Section("log_limits", LogLimitSettings)
