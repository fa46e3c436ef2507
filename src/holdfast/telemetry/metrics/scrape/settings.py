"""Settings of scraping: `[scrape]` in `holdfast.toml`. What is scraped stands in `ops/prometheus.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import ConfigDict

from holdfast.kernel.settings import Section


@dataclass(frozen=True, slots=True)
class ScrapeSettings:
    """Where scraped samples go.

    Attributes:
        tenant: the tenant whose samples they are.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    tenant: str = "default"


SECTION: Final = Section("scrape", ScrapeSettings)
