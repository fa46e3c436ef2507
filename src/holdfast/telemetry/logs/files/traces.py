"""Joins lines that belong to the record before: Python tracebacks, Java stack traces, indented lines.

A joined record is one line whose parts are parted by `JOINT`, so that everything behind works on lines.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.logs.files.columns import Places, ends_of, starts_of

JOINT: Final = b"\x1e"
_MOST: Final = 1000  # lines of one record that are looked back over
_ENDING: Final = rb"(?:[A-Za-z_][\w.$]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Throwable)\b(?::|\s|$)"
_BELONGS: Final = re.compile(
    rb"\s|$|Traceback \(most recent call last\)|Caused by: |Suppressed: |\.\.\. \d+ |"
    rb"(?:During handling of|The above exception was) |" + _ENDING
)
_PREFIX: Final = 8
_PREFIXES: Final = (b"Tracebac", b"Caused b", b"Suppress", b"During h", b"The abov")
_AROUND: Final = 3  # lines before and behind that expressions look at
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
    """Give the block with what belongs together on one line; it ends with a line end."""
    ends = ends_of(block)
    starts = starts_of(ends)
    going_on = np.flatnonzero(_goes_on(block, starts))
    if not len(going_on):
        return block
    # Only what stands around such lines is looked at: expressions are slower than everything else here.
    breaks = np.flatnonzero(np.diff(going_on) > 2 * _AROUND) + 1
    firsts = np.maximum(going_on[np.concatenate(([0], breaks))] - _AROUND, 0)
    lasts = np.minimum(going_on[np.concatenate((breaks - 1, [len(going_on) - 1]))] + _AROUND, len(ends) - 1)
    parts: list[bytes] = []
    done = 0
    for start, end in zip(starts[firsts].tolist(), (ends[lasts] + 1).tolist(), strict=True):
        parts += (block[done:start], _join(block[start:end]))
        done = end
    return b"".join((*parts, block[done:]))


def _goes_on(block: bytes, starts: Places) -> npt.NDArray[np.bool_]:
    """Tell which lines look as if they went on with the one before."""
    padded = np.frombuffer(block + b"\n" * _PREFIX, np.uint8)
    first = padded[starts]
    is_it: npt.NDArray[np.bool_] = (first == ord(" ")) | (first == ord("\t"))
    for prefix in _PREFIXES:
        like = np.flatnonzero(first == prefix[0])
        if len(like):
            windows = np.ndarray((len(block),), f"S{_PREFIX}", padded.data, strides=(1,))
            is_it[like[windows[starts[like]] == prefix]] = True
    return is_it


def _join(block: bytes) -> bytes:
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
