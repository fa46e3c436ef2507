"""Makes the embedded engine a good guest of our process: signals stay ours, memory stays small.

Measured with chDB 4.4: importing it takes SIGTSTP and the signals of crashes, so that Ctrl-Z does nothing and an abort
lingers for minutes before it ends the process; the first Arrow array of a process imports pandas (one second,
53 MB); starting the engine touches 118 MB of its code, of which running it needs a third.
"""

from __future__ import annotations

import ctypes
import importlib.abc
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

_MADV_DONTNEED: Final = 4  # <asm-generic/mman-common.h>
_PR_SET_THP_DISABLE: Final = 41  # <linux/prctl.h>
_SIGACTION_BYTES: Final = 256  # more than `struct sigaction` has anywhere on Linux
_ENGINE_LIBRARY: Final = "_chdb."
_MAPS: Final = Path("/proc/self/maps")


class _NoPandas(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, *_: Any) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def import_engine() -> None:
    """Import chDB, which changes the working directory for a moment and runs a query, and leave signals as they are.

    To be called while the process starts, on the thread that starts it.
    """
    sigaction = ctypes.CDLL(None, use_errno=True).sigaction
    kept = {}
    for number in signal.valid_signals() & set(range(1, signal.SIGRTMIN)):
        action = ctypes.create_string_buffer(_SIGACTION_BYTES)
        if sigaction(int(number), None, action) == 0:
            kept[int(number)] = action
    import chdb  # noqa: PLC0415 -- only a process with an embedded store pays for the engine

    # chDB offers this nowhere else, and has no types for it.
    chdb._chdb.set_signal_handlers_enabled(0)  # type: ignore[attr-defined]  # noqa: SLF001
    for kept_number, action in kept.items():
        sigaction(kept_number, action, None)


def spare_pandas() -> None:
    """Let Arrow decide now, and without importing it, that no list of ours is a pandas Series.

    Whoever converts to pandas later still can: Arrow asks again then.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)


def decline_huge_pages() -> bool:
    """Have Linux give this process memory in small pages, also where numpy asks for huge ones; tell whether it does.

    Large arrays here are written once and read a few times. Where a hypervisor backs memory when it is first touched,
    96 MB in huge pages took 240 to 290 ms to fill and 65 in small ones; on memory that was touched before, 16 and 65.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl if _MAPS.exists() else None
    return prctl is not None and prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0


def release_code() -> int:
    """Give the engine's code pages back to the page cache, from where those in use return at once.

    Only pages that nobody can write are touched, so nothing can be lost. Takes about 5 ms.

    Returns:
        Bytes of code that were given back or were not resident anyway; 0 where this is not Linux.
    """
    if not _MAPS.exists():
        return 0
    madvise = ctypes.CDLL(None, use_errno=True).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return sum(size for start, size in _code() if madvise(start, size, _MADV_DONTNEED) == 0)


def release_heap() -> None:
    """Give back what Arrow and the C library keep of memory that was freed: 20 MB after a day of samples was read."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)


def _code() -> Iterator[tuple[int, int]]:
    for line in _MAPS.read_text(encoding="ascii", errors="replace").splitlines():
        span, mode, *rest = line.split()
        if mode == "r-xp" and Path(rest[-1]).name.startswith(_ENGINE_LIBRARY):
            start, end = (int(part, 16) for part in span.split("-"))
            yield start, end - start
