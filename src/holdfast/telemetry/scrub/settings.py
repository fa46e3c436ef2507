"""Settings of what is taken out of signals before they are kept: `[scrub]` in `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Section
from holdfast.telemetry.scrub.patterns import Kind


class Action(StrEnum):
    """What becomes of a find: `mask` writes its kind, `hash` its kind and a salted hash, `drop` removes the field."""

    MASK = "mask"
    HASH = "hash"
    DROP = "drop"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class OwnPattern:
    """A pattern of one's own.

    Attributes:
        name: as it is counted and as it stands in masked text.
        expression: RE2; where it has groups, only the group that took part goes.
        action: what becomes of a find.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
    expression: Annotated[str, Field(min_length=1, max_length=2000)]
    action: Action = Action.MASK


@dataclass(frozen=True, slots=True)
class TenantScrubbing:
    """What differs for one tenant.

    Attributes:
        kinds: actions by kind; those not named stay as they are for everybody.
        own: patterns besides those of everybody.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kinds: Mapping[Kind, Action] = field(default_factory=dict)
    own: Sequence[OwnPattern] = ()


@dataclass(frozen=True, slots=True)
class ScrubSettings:
    """What is taken out of log records and spans before they are stored, queued or followed.

    Attributes:
        kinds: actions by kind, `mask` where nothing is said; addresses (`ip`) are kept, as access logs live of them.
        own: patterns of one's own, each `{name = "order", expression = "ORD-[0-9]+", action = "hash"}`.
        salt: makes hashes useless to whoever has not got it; needed once an action is `hash`.
        tenants: what differs for single tenants, by their name.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kinds: Mapping[Kind, Action] = field(default_factory=dict)
    own: Sequence[OwnPattern] = ()
    salt: Secret = Secret("")
    tenants: Mapping[str, TenantScrubbing] = field(default_factory=dict)


DEFAULTS: Final = {kind: Action.KEEP if kind is Kind.IP else Action.MASK for kind in Kind}
SCRUB_SECTION: Final = Section("scrub", ScrubSettings)
