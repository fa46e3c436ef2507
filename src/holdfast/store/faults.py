"""Turns the engine's failures into ours, by ClickHouse's numeric error codes (src/Common/ErrorCodes.cpp)."""

from __future__ import annotations

import errno
import re
from typing import Final

from holdfast.kernel.errors import (
    BusyError,
    HoldfastError,
    InvalidError,
    LimitError,
    StorageFullError,
    TimedOutError,
    UnavailableError,
)

NOT_ENOUGH_SPACE: Final = 243

_Verdict = tuple[type[HoldfastError], str, str]
_FULL: Final[_Verdict] = (
    StorageFullError,
    "the disk of {place} is full",
    "free some space, or shorten telemetry.retention; writing resumes by itself, reading goes on",
)
_COSTLY: Final[_Verdict] = (
    LimitError,
    "the query costs too much: {text}",
    "ask for less, or raise telemetry.query_memory, query_rows or query_size",
)
_SLOW: Final[_Verdict] = (
    TimedOutError,
    "the query took too long: {text}",
    "ask for less, or raise telemetry.query_timeout",
)
_STOPPED: Final[_Verdict] = (UnavailableError, "the query was stopped: {text}", "ask again")
_OVERLOADED: Final[_Verdict] = (BusyError, "{place} is overloaded: {text}", "slow down and send it again")
_DOWN: Final[_Verdict] = (
    UnavailableError,
    "{place} does not answer: {text}",
    "is it running, reachable, and are the user and password right?",
)
_DAMAGED: Final[_Verdict] = (
    UnavailableError,
    "the store in {place} fails: {text}",
    "see the disk and the engine's words on standard error; restore the folder from a backup, or move it away",
)
_WRONG: Final[_Verdict] = (InvalidError, "the engine refuses the statement: {text}", "")
_VERDICTS: Final[dict[int, _Verdict]] = {
    **dict.fromkeys((158, 241, 307, 396), _COSTLY),  # rows read, memory, bytes read, rows or bytes returned
    **dict.fromkeys((159, 160, 209), _SLOW),  # timeout, too slow, socket timeout
    394: _STOPPED,  # by KILL QUERY
    **dict.fromkeys((202, 252), _OVERLOADED),  # simultaneous queries, too many parts
    **dict.fromkeys((3, 74, 75, 76, 210, 236, 242, 279, 319, 516, 999, 1001), _DOWN),  # end of file, disk, network, ...
}
_NO_SPACE: Final = re.compile(r"no space left on device|errno: 28\b|disk quota exceeded", re.IGNORECASE)
_OPENING: Final = re.compile(r"^Unable to open the chdb engine at '.*?': (Failed to create connection: )?")
_VERSION: Final = re.compile(r"\s*\(version [^()]*(\([^()]*\))?[^()]*\)\s*$")
_LONGEST: Final = 600


def is_disk_full(error: BaseException) -> bool:
    """Tell whether `error` means that there is no room on the disk."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return True
    code = getattr(error, "code", None)
    return code == NOT_ENOUGH_SPACE or bool(_NO_SPACE.search(str(error)))


def translate(error: Exception, place: str, *, is_folder: bool) -> HoldfastError:
    """Give the error of our tree for a failure of the driver or the engine.

    Args:
        error: what the driver raised.
        place: the store's address without credentials, for the message.
        is_folder: whether the engine is in this process, so that there is no server to look for.
    """
    if isinstance(error, HoldfastError):
        return error
    text = _OPENING.sub("", _VERSION.sub("", str(error).strip()))[:_LONGEST]
    verdict = _verdict(error)
    kind, message, hint = _DAMAGED if is_folder and verdict is _DOWN else verdict
    return kind(message.format(place=place, text=text), hint=hint)


def _verdict(error: Exception) -> _Verdict:
    code = getattr(error, "code", None)
    if is_disk_full(error):
        return _FULL
    if isinstance(error, TimeoutError):
        return _SLOW
    if code is None:
        return _DOWN
    return _VERDICTS.get(code, _WRONG)
