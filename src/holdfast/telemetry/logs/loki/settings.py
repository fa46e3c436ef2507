"""Settings of Loki's push: `[loki]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Size


@dataclass(frozen=True, slots=True)
class LokiSettings:
    """What is taken from Loki's senders.

    Attributes:
        max_body: the largest push after decompression.
        known_streams: streams that are remembered by the text of their labels.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    max_body: Size = 32_000_000
    known_streams: Annotated[int, Field(ge=1000)] = 100_000


SECTION: Final = Section("loki", LokiSettings)
