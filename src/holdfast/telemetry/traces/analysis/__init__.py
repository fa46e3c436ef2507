"""What a trace tells beyond its spans: tree, skew, self time, critical path, repeated calls.

Owns pure functions over a `Trace`. Refuses to read stores and to know how the answers are shown.
"""

from holdfast.telemetry.traces.analysis.clock_skew import align
from holdfast.telemetry.traces.analysis.critical_path import Segment, find_critical_path
from holdfast.telemetry.traces.analysis.repetition import VARYING, Repetition, RepetitionKind, find_repetitions
from holdfast.telemetry.traces.analysis.self_time import measure_self_times
from holdfast.telemetry.traces.analysis.tree import NO_ROW, Tree, grow
from holdfast.telemetry.traces.analysis.warnings import Warned, WarningCode, find_warnings

__all__ = [
    "NO_ROW",
    "VARYING",
    "Repetition",
    "RepetitionKind",
    "Segment",
    "Tree",
    "Warned",
    "WarningCode",
    "align",
    "find_critical_path",
    "find_repetitions",
    "find_warnings",
    "grow",
    "measure_self_times",
]
