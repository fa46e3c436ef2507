"""Runs checks: when each is due, how an attempt becomes a verdict, what people see of it.

Owns the schedule and the state of every check. Refuses files, history and HTTP.
"""

from holdfast.health.engine.asking import Answer, Asking, observe_within
from holdfast.health.engine.engine import Engine, EngineParts
from holdfast.health.engine.ledger import Ledger, Memory, MemoryLedger
from holdfast.health.engine.once import check_once
from holdfast.health.engine.recents import Recent, Recents
from holdfast.health.engine.results import Result
from holdfast.health.engine.states import CheckState
from holdfast.health.engine.watches import Pause, Saved

__all__ = [
    "Answer",
    "Asking",
    "CheckState",
    "Engine",
    "EngineParts",
    "Ledger",
    "Memory",
    "MemoryLedger",
    "Pause",
    "Recent",
    "Recents",
    "Result",
    "Saved",
    "check_once",
    "observe_within",
]
