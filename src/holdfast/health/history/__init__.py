"""The past of checks: results on their way into the store, and what the store says of them.

Owns the tables of results and of hours, and every query over them. Refuses to judge: verdicts come from the engine.
"""

from holdfast.health.history.reading import (
    Held,
    HeldBucket,
    History,
    LatencyPoint,
    PastRun,
    Percentiles,
)
from holdfast.health.history.recorder import Recorder
from holdfast.health.history.schema import SCHEMA
from holdfast.health.history.uptimes import NOTHING, WINDOWS, Uptimes

__all__ = [
    "NOTHING",
    "SCHEMA",
    "WINDOWS",
    "Held",
    "HeldBucket",
    "History",
    "LatencyPoint",
    "PastRun",
    "Percentiles",
    "Recorder",
    "Uptimes",
]
