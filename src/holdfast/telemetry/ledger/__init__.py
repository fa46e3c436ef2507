"""What came in and what was left out: records and bytes by hour, signal, service and reason, kept in the store.

Owns the counts, the table of them and the meaning of each reason. Refuses to decide what is left out: limits, samplers
and doors do, and note it here.
"""

from holdfast.telemetry.ledger.calls import Call, answering, is_answering
from holdfast.telemetry.ledger.doors import RefusedAtDoors
from holdfast.telemetry.ledger.ledger import Ledger
from holdfast.telemetry.ledger.noting import NO_LEDGER, NoLedger, Notes
from holdfast.telemetry.ledger.reading import Cut, HourSum, ServiceSum, read_hours, read_services
from holdfast.telemetry.ledger.reasons import (
    DOOR_REASONS,
    REASONS,
    Meaning,
    Reason,
    meaning_of,
    meanings,
    reason_of,
    reason_of_error,
)
from holdfast.telemetry.ledger.services import OTHERS, OURS, Services, service_of
from holdfast.telemetry.ledger.signals import Signal
from holdfast.telemetry.ledger.tables import HOURS, SCHEMA
from holdfast.telemetry.ledger.wiring import LedgerRoom, wire

__all__ = [
    "DOOR_REASONS",
    "HOURS",
    "NO_LEDGER",
    "OTHERS",
    "OURS",
    "REASONS",
    "SCHEMA",
    "Call",
    "Cut",
    "HourSum",
    "Ledger",
    "LedgerRoom",
    "Meaning",
    "NoLedger",
    "Notes",
    "Reason",
    "RefusedAtDoors",
    "ServiceSum",
    "Services",
    "Signal",
    "answering",
    "is_answering",
    "meaning_of",
    "meanings",
    "read_hours",
    "read_services",
    "reason_of",
    "reason_of_error",
    "service_of",
    "wire",
]
