"""The signals that the ledger counts."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """What is counted."""

    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"
