"""Settings of people and tokens: `[auth]` in holdfast.toml. Whether anybody has to log in is `server.auth`."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How long things last.

    Attributes:
        session_idle: a session ends when it is not used for so long.
        session_longest: a session ends after so long, however much it is used.
        setup_link: how long the one-time link of the first start is good for.
        token_usual: how long an API token lasts when its maker does not say.
        token_longest: the longest that its maker may say.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    session_idle: Duration = 12 * 3600.0
    session_longest: Duration = 7 * 86400.0
    setup_link: Duration = 86400.0
    token_usual: Duration = 90 * 86400.0
    token_longest: Duration = 366 * 86400.0


SECTION = Section("auth", AuthSettings)
