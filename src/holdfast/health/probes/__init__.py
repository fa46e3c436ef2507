"""Probes: one attempt at one target, with a verdict, phases and facts.

Owns the check kinds and everything they say on the wire. Refuses schedules, retries, history and files: those
are the engine's. A probe never raises for a target's fault.
"""

from holdfast.health.probes.contract import (
    NO_PHASES,
    Fact,
    Observation,
    Phases,
    Probe,
    ProbeContext,
    ProbeKind,
    Sample,
)
from holdfast.health.probes.registry import ENTRY_POINT_GROUP, KINDS, merge_kinds

__all__ = [
    "ENTRY_POINT_GROUP",
    "KINDS",
    "NO_PHASES",
    "Fact",
    "Observation",
    "Phases",
    "Probe",
    "ProbeContext",
    "ProbeKind",
    "Sample",
    "merge_kinds",
]
