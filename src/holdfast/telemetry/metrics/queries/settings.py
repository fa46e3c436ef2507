"""Settings of queries: `[queries]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """What queries of metrics may cost, and how many run.

    Attributes:
        concurrency: queries that run at once, of all tenants.
        tenant_concurrency: queries of one tenant that run or wait for a place among all.
        queue: queries of one tenant that may wait for its turn; one more is told that we are busy.
        timeout: the longest that one query may take, its waiting included; a request may ask for less.
        lookback: how long a sample stays the current one.
        max_series: series that one query may select.
        max_samples: samples that one query may load.
        max_steps: steps that a range query may have.
        max_memory: memory that the intermediate results of one query may take.
        slow: a query that takes longer is written into the log with its text and its cost.
        cors_origins: sites whose pages may read answers in a browser with a token of their own, such as
            `https://grafana.example`; `*` for all, which counts only while authentication is on.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    concurrency: Annotated[int, Field(ge=1, le=1000)] = 8
    tenant_concurrency: Annotated[int, Field(ge=1, le=1000)] = 6
    queue: Annotated[int, Field(ge=0, le=100_000)] = 200
    timeout: Duration = 120.0
    lookback: Duration = 300.0
    max_series: Annotated[int, Field(ge=1)] = 500_000
    max_samples: Annotated[int, Field(ge=1)] = 50_000_000
    max_steps: Annotated[int, Field(ge=1)] = 11_000
    max_memory: Size = 1024 * _MIB
    slow: Duration = 5.0
    cors_origins: tuple[str, ...] = ("*",)


SECTION: Final = Section("queries", QuerySettings)
