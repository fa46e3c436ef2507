"""Tells how much memory this process holds, so that it is given back where it has grown."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")


def own_bytes() -> int:
    """Give the resident memory that no file stands behind; 0 where this is not Linux."""
    if not _STATM.exists():
        return 0
    _, resident, shared, *_ = _STATM.read_text(encoding="ascii").split()
    return (int(resident) - int(shared)) * mmap.PAGESIZE
