"""The kind `heartbeat`: a job calls us, and we notice when it does not. What was received is `book`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import ConfigDict

from holdfast.health.probes import ProbeKind
from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.schedule import parse_cron, parse_zone
from holdfast.kernel.units import Duration


@dataclass(frozen=True, slots=True)
class HeartbeatSpec:
    """When a call is expected: `every` after the last one, or at each match of `cron`; one of the two.

    The check's own `every` only says how often the calls are judged.

    Attributes:
        every: the longest time between two calls when all is well.
        cron: when the job runs.
        grace: how late a call may be before the check is down.
        timezone: of `cron`.
        longest: how long a job may take that said `start`.
        key: the secret part of the URL as a reference such as `${env:BACKUP_KEY}`; made up when it is not given.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    every: Duration | None = None
    cron: str | None = None
    grace: Duration = 60.0
    timezone: str = "UTC"
    longest: Duration | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            InvalidError: the cron expression, the zone or the key is wrong.
        """
        if (self.every is None) == (self.cron is None):
            raise InvalidError(
                "a heartbeat needs to know when calls are due", hint="write either every: 1h or cron: '0 3 * * *'"
            )
        zone = parse_zone(self.timezone)
        if self.cron is not None:
            parse_cron(self.cron, zone)
        if self.key is not None and not self.key.startswith("${"):
            raise InvalidError(
                "the key of a heartbeat is a secret and does not belong into a file",
                hint="write a reference such as ${env:BACKUP_KEY}, or leave it out",
                place=Place(field="key"),
            )


HEARTBEAT: Final = ProbeKind("heartbeat", HeartbeatSpec, None)
