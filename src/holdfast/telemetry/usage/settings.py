"""Settings of what usage costs: `[usage]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section

Price = Annotated[Decimal, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """What is reckoned for what services keep and read; for showing who costs what, not for bills.

    Attributes:
        currency: the word beside amounts, such as `EUR`.
        stored_gib_month: the price of a GiB that lies on the disk for a month.
        read_gib: the price of a GiB of log lines that queries read.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    stored_gib_month: Price = Decimal(0)
    read_gib: Price = Decimal(0)


SECTION: Final = Section("usage", UsageSettings)
