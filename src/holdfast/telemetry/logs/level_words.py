"""How grave a record can be, and which words say so."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """How grave a record is, in Loki's words; `UNKNOWN` where nothing says it."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    CRITICAL = "critical"
    FATAL = "fatal"
    UNKNOWN = "unknown"


WORDS: Final[dict[str, Level]] = {
    **dict.fromkeys(("trace", "trc"), Level.TRACE),
    **dict.fromkeys(("debug", "dbg"), Level.DEBUG),
    **dict.fromkeys(("info", "inf", "information"), Level.INFO),
    **dict.fromkeys(("warn", "wrn", "warning"), Level.WARN),
    **dict.fromkeys(("error", "err"), Level.ERROR),
    "critical": Level.CRITICAL,
    "fatal": Level.FATAL,
}
_LONGEST: Final = 32  # of a word that is no level of ours; longer ones are no level at all


def normalise(word: str) -> str:
    """Give the level that a word means; the word itself, in lower case, where it means none of ours."""
    lower = word.strip().lower()
    return WORDS.get(lower, lower if len(lower) <= _LONGEST else Level.UNKNOWN)
