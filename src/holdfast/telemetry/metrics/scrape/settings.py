"""Settings of scraping: `[scrape]` in `holdfast.toml`. What is scraped stands in `ops/prometheus.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import ConfigDict

from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration

MAX_LINGER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ScrapeSettings:
    """Where scraped samples go.

    Attributes:
        tenant: the tenant whose samples they are.
        linger: how long samples may wait for those of other targets before all go to the store, at most a fifth of the
            target's interval and 5s; fewer writes cost less, and what waits is lost when the process is killed.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    tenant: str = "default"
    linger: Duration = 1.0

    def __post_init__(self) -> None:
        """Refuse a linger that would hold samples back.

        Raises:
            InvalidError: `linger` is over 5 s.
        """
        if not 0 <= self.linger <= MAX_LINGER_S:
            raise InvalidError(f"linger is {self.linger:g}s", hint="at most 5s", place=Place(field="scrape.linger"))


SECTION: Final = Section("scrape", ScrapeSettings)
