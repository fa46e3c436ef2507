"""Settings of the catalog: `[catalog]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from holdfast.kernel.settings import Section


@dataclass(frozen=True, slots=True)
class CatalogSettings:
    """How strictly descriptor files are read.

    Attributes:
        extra_keys: keys of your own that descriptors may have, as dotted paths such as `spec.costCentre` or
            `metadata.team`; all other unknown keys are refused.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    extra_keys: tuple[str, ...] = ()


SECTION = Section("catalog", CatalogSettings)
