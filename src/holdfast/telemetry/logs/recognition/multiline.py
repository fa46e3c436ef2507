"""Which lines belong to the one before: tracebacks of Python, stack traces of Java with their causes, private keys.

A key in PEM is one record, so that whoever looks for secrets sees it whole.

A line that may go on is held until the next one shows that it does not; whoever feeds lines as they come flushes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_PYTHON: Final = "Traceback (most recent call last):"
_PYTHON_CHAINS: Final = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_PYTHON_END: Final = re.compile(r"[A-Za-z_][\w.]*(?:: |:?$)")
_JAVA_GOES_ON: Final = re.compile(r"\s+at \S|\s*\.\.\. \d+ (?:more|common frames)|\s*(?:Caused by|Suppressed): \S")
_JAVA_BEGINS: Final = re.compile(r"(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)\b")
_KEY_BEGINS: Final = "-----BEGIN "
_KEY_GOES_ON: Final = re.compile(r"\s*(?:[A-Za-z0-9+/=]*|[A-Za-z-]+: .*|-----END .*)\s*$")
_KEY_ENDS: Final = "-----END "
_GROUP: Final = re.compile(r"\s*(?:\+ |\| |\+-)")  # of an ExceptionGroup
MOST_LINES: Final = 1000
MOST_LETTERS: Final = 200_000


class Joiner:
    """Joins the lines of one stream; holds one record of at most 1,000 lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._letters = 0
        self._is_python = False  # within a traceback, before the exception's own line
        self._is_chained = False  # after the exception's line, where a second traceback may follow
        self._is_key = False  # within a private key

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: str) -> str | None:
        """Take a line; gives the record before it, if that has ended."""
        if self._lines and self._goes_on(line) and len(self._lines) < MOST_LINES and self._letters < MOST_LETTERS:
            self._lines.append(line)
            self._letters += len(line)
            return None
        before = self.flush()
        self._lines, self._letters, self._is_python = [line], len(line), _PYTHON in line
        self._is_key = _opens_key(line)
        return before

    def flush(self) -> str | None:
        """Give what is held."""
        lines, self._lines = self._lines, []
        self._is_python = self._is_chained = self._is_key = False
        while len(lines) > 1 and not lines[-1]:
            lines.pop()
        return "\n".join(lines) if lines else None

    def _goes_on(self, line: str) -> bool:
        if self._is_key:
            self._is_key = _KEY_ENDS not in line or _opens_key(line)
            return _KEY_GOES_ON.match(line) is not None
        return self._is_of_trace(line)

    def _is_of_trace(self, line: str) -> bool:
        if line.lstrip(" |+-").startswith(_PYTHON):
            self._is_python, self._is_chained = True, False
            return True
        if self._is_python:
            if line[:1] in {" ", "\t"} or not line:
                return True
            self._is_python, self._is_chained = False, True
            return _PYTHON_END.match(line) is not None
        if self._is_chained:
            return not line or line in _PYTHON_CHAINS or _GROUP.match(line) is not None
        if _JAVA_GOES_ON.match(line):
            return True
        return _JAVA_BEGINS.match(line) is not None and not _JAVA_BEGINS.match(self._lines[-1])


def _opens_key(line: str) -> bool:
    """Tell whether a private key begins in a line and does not end there."""
    begin = line.rfind(_KEY_BEGINS)
    return begin > line.rfind(_KEY_ENDS) and "PRIVATE KEY" in line[begin:]


def join_lines(lines: Iterable[str]) -> Iterable[str]:
    """Join lines that came together."""
    joiner = Joiner()
    for line in lines:
        if (whole := joiner.add(line)) is not None:
            yield whole
    if (whole := joiner.flush()) is not None:
        yield whole
