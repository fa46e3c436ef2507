"""Lets a policy live on in a forked child: a lock that another thread held at the fork would never be free there.

The hook is set with the first policy that asks, not on import.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final
from weakref import WeakMethod

_RENEWALS: Final[list[WeakMethod[Callable[[], None]]]] = []
_MOST_DEAD: Final = 1000
_state: Final = {"is_hooked": False, "sweep_at": _MOST_DEAD}


def renew_after_fork(renew: Callable[[], None]) -> None:
    """Have the method `renew` called in every forked child, as long as its object lives."""
    if not _state["is_hooked"] and hasattr(os, "register_at_fork"):
        _state["is_hooked"] = True
        os.register_at_fork(after_in_child=_renew_all)
    _RENEWALS.append(WeakMethod(renew))
    if len(_RENEWALS) >= _state["sweep_at"]:
        _RENEWALS[:] = [known for known in _RENEWALS if known() is not None]
        _state["sweep_at"] = 2 * len(_RENEWALS) + _MOST_DEAD


def _renew_all() -> None:
    for known in _RENEWALS:
        renew = known()
        if renew is not None:
            renew()
