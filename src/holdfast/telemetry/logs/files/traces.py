"""Joins lines that belong to the record before: Python tracebacks, Java stack traces, indented lines.

A joined record is one line whose parts are parted by `JOINT`, so that everything behind works on lines.
"""

from __future__ import annotations

import re
from typing import Final

JOINT: Final = b"\x1e"
_MOST: Final = 1000  # lines of one record that are looked back over
_ENDING: Final = rb"(?:[A-Za-z_][\w.$]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Throwable)\b(?::|\s|$)"
_BELONGS: Final = re.compile(
    rb"\s|$|Traceback \(most recent call last\)|Caused by: |Suppressed: |\.\.\. \d+ |"
    rb"(?:During handling of|The above exception was) |" + _ENDING
)
_HINTS: Final = (b"\n ", b"\n\t", b"\nTraceback (", b"\nCaused by: ")
_TRACEBACK: Final = re.compile(rb"Traceback \(most recent call last\):(?:\n[ \t][^\n]*)+\n(?=[A-Za-z_])")
_LINK: Final = re.compile(
    rb"\n\n?(?=During handling of the above|The above exception was|Traceback \(most recent call last\))"
)
_FOLLOWS: Final = re.compile(
    rb"\n(?=[ \t]+\S|Traceback \(most recent call last\)|Caused by: |Suppressed: |" + _ENDING + rb"[^\n]*\n[ \t]+at )"
)
_NAME: Final = re.compile(rb"(?:^|\x1e)(?:Caused by: )?((?:[A-Za-z_][\w$]*\.)*[A-Z]\w*(?:Error|Exception|Throwable))\b")


def belongs(line: bytes) -> bool:
    """Tell whether a line goes with the one before."""
    return _BELONGS.match(line) is not None


def join(block: bytes) -> bytes:
    """Give the block with what belongs together on one line."""
    if not any(hint in block for hint in _HINTS) and not block.startswith(b"Traceback ("):
        return block
    block = _LINK.sub(JOINT, block)
    block = _TRACEBACK.sub(lambda found: found[0].replace(b"\n", JOINT), block)
    return _FOLLOWS.sub(JOINT, block)


def exception_of(record: bytes) -> str:
    """Give the last exception that a joined record names; empty if there is none."""
    if JOINT not in record:
        return ""
    found = _NAME.findall(record)
    return found[-1].decode() if found else ""


def last_start(block: bytes) -> int:
    """Give where the last record of a block of whole lines begins, looking back over a bounded number of lines."""
    end = len(block)
    for _ in range(_MOST):
        at = block.rfind(b"\n", 0, end - 1) + 1 if end else 0
        if at == 0 or not belongs(block[at : at + 200]):
            return at
        end = at
    return end
