"""One tree of errors: a stable code, a message for people, a hint for operators, and when a retry makes sense.

HTTP statuses are chosen in `kernel.http.problems` and nowhere else; messages never carry secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error stands: a file, a line (from 1) and a field path such as `checks[2].http.url`."""

    file: str = ""
    line: int = 0
    field: str = ""

    def __str__(self) -> str:
        """Give `file:line: field`, leaving out what is not known."""
        spot = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ": ".join(part for part in (spot, self.field) if part)


@dataclass(frozen=True, slots=True)
class Retry:
    """When the same request may succeed: never, at any later time, or not before `after_s` seconds."""

    possible: bool
    after_s: float | None = None


NEVER: Final = Retry(possible=False)
LATER: Final = Retry(possible=True)


def after(seconds: float) -> Retry:
    """Say that a retry makes sense in `seconds`."""
    return Retry(possible=True, after_s=seconds)


class HoldfastError(Exception):
    """The root: everything that Holdfast raises on purpose.

    `code` is stable and documented; `hint` names the fix; `place` names the spot in a file or request.
    """

    code: ClassVar[str] = "internal"
    retry: Retry = NEVER

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None, retry: Retry | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place or Place()
        if retry is not None:
            self.retry = retry

    def __str__(self) -> str:
        """Give place, message and hint on one line, as a terminal shows it."""
        spot = str(self.place)
        text = f"{spot}: {self.message}" if spot else self.message
        return f"{text} ({self.hint})" if self.hint else text


class InvalidError(HoldfastError):
    """The input is wrong; nothing was changed."""

    code = "invalid"


class ConfigError(InvalidError):
    """A settings or ops file is wrong; the configuration before it stays in force.

    `problems` holds every fault found, so that one edit can mend them all.
    """

    code = "config_invalid"

    def __init__(self, problems: tuple[InvalidError, ...], *, hint: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems), hint=hint)
        self.problems = problems


class UnauthenticatedError(HoldfastError):
    """Nobody is logged in, or the credentials are wrong or expired."""

    code = "unauthenticated"


class DeniedError(HoldfastError):
    """Somebody is logged in, but may not do this."""

    code = "denied"


class NotFoundError(HoldfastError):
    """There is no such thing in this tenant."""

    code = "not_found"


class ConflictError(HoldfastError):
    """The state does not allow it: a duplicate, a stale version, a folder owned by another process."""

    code = "conflict"


class LimitError(HoldfastError):
    """A limit was reached; the message names the limit and its setting."""

    code = "limit"
    retry = LATER


class UnavailableError(HoldfastError):
    """Something that we depend on does not answer."""

    code = "unavailable"
    retry = LATER


class BusyError(UnavailableError):
    """A bounded queue is full: slow down and send it again."""

    code = "busy"


class StorageFullError(UnavailableError):
    """The disk is full: writes are refused until there is room, reads go on."""

    code = "storage_full"


class TimedOutError(UnavailableError):
    """The time limit of an operation ran out."""

    code = "timed_out"


class StaleSchemaError(ConflictError):
    """The data was written by a newer Holdfast than this one."""

    code = "schema_from_the_future"
