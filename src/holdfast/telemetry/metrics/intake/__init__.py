"""What every door of metrics needs before the sink: limits of labels, series remembered by their bytes, own metrics.

Refuses to know any format, and to store anything.
"""

from holdfast.telemetry.metrics.intake.answers import refuse
from holdfast.telemetry.metrics.intake.columns import STALE, Columns
from holdfast.telemetry.metrics.intake.known import KnownSeries, Memory
from holdfast.telemetry.metrics.intake.labels import LabelLimits, LabelsError, admit_labels
from holdfast.telemetry.metrics.intake.meters import IntakeMeters
from holdfast.telemetry.metrics.intake.refusals import LIMIT, Refusals

__all__ = [
    "LIMIT",
    "STALE",
    "Columns",
    "IntakeMeters",
    "KnownSeries",
    "LabelLimits",
    "LabelsError",
    "Memory",
    "Refusals",
    "admit_labels",
    "refuse",
]
