"""Names the flow of control that takes a lock: a task, or a thread outside of one.

Names are unique among processes and are never used again, so that a dead owner is not taken for a live one.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_numbers: Final = itertools.count(1)
_known: Final[MutableMapping[Any, str]] = WeakKeyDictionary()
_guard: Final = threading.Lock()
_process: list[tuple[int, str]] = []


def current_owner() -> str:
    """Give the name of the running task, or of the running thread: host, process, its own name and number."""
    try:
        flow: Any = asyncio.current_task() or threading.current_thread()
    except RuntimeError:
        flow = threading.current_thread()
    with _guard:
        name = _known.get(flow)
        prefix = _name_process()
        if name is None or not name.startswith(prefix):
            label = flow.get_name() if isinstance(flow, asyncio.Task) else flow.name
            name = _known[flow] = f"{prefix}/{label}#{next(_numbers)}"
        return name


def _name_process() -> str:
    pid = os.getpid()
    if not _process or _process[0][0] != pid:  # a fork is another owner
        _process[:] = [(pid, f"{socket.gethostname()}:{pid}:{uuid.uuid4().hex[:6]}")]
    return _process[0][1]
