"""The shape of a check file, field by field, as pydantic validates it. What fields mean together is said in `files`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, ConfigDict, Field

from holdfast.kernel.units import Duration

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_STRICT: Final = ConfigDict(extra="forbid")


def _check_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a name: write lower-case letters, digits and '-', at most 63, such as payments-ready"
        )
    return text


Name = Annotated[str, AfterValidator(_check_name)]
For = Annotated[Duration | None, Field(alias="for")]


@dataclass(frozen=True, slots=True)
class RetriesShape:
    """`retries:` of a check."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    attempts: Annotated[int, Field(ge=0, le=10)] = 1
    backoff: Duration = 0.2


@dataclass(frozen=True, slots=True)
class FlapShape:
    """`flap:` of a check."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    threshold: Annotated[int, Field(ge=0, le=99)] = 6
    window: Annotated[int, Field(ge=3, le=100)] = 20


@dataclass(frozen=True, slots=True)
class DefaultsShape:
    """`defaults:` of a file: what its checks mean when they say nothing."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    every: Duration = 30.0
    timeout: Duration | None = None
    retries: RetriesShape = RetriesShape()
    for_: For = None
    flap: FlapShape = FlapShape()
    service: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckShape:
    """One entry of `checks:` without the section of its kind."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Name
    kind: str
    service: str | None = None
    selector: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    every: Duration | None = None
    timeout: Duration | None = None
    retries: RetriesShape | None = None
    for_: For = None
    flap: FlapShape | None = None
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowShape:
    """One entry of `maintenance:`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Name
    checks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    cron: str | None = None
    duration: Duration | None = None
    starts: str | None = None
    ends: str | None = None
    timezone: str = "UTC"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FileShape:
    """A whole file. Checks stay plain here: their sections depend on their kinds."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    defaults: DefaultsShape = DefaultsShape()
    checks: tuple[dict[str, Any], ...] = ()
    maintenance: tuple[WindowShape, ...] = ()
