"""Functions of instant vectors: numbers, calendar, labels, order, absence, enrichment. Knows frames, not steps."""

from holdfast.telemetry.metrics.promql.evaluation.vectors.absence import absent
from holdfast.telemetry.metrics.promql.evaluation.vectors.calendar import PARTS, read_calendar
from holdfast.telemetry.metrics.promql.evaluation.vectors.enrichment import (
    Enrichment,
    InfoSeries,
    enrich,
    info_matchers,
)
from holdfast.telemetry.metrics.promql.evaluation.vectors.maths import PLAIN, apply_plain, clamp, each_number, round_to
from holdfast.telemetry.metrics.promql.evaluation.vectors.relabel import is_label_name, label_join, label_replace
from holdfast.telemetry.metrics.promql.evaluation.vectors.sorting import sort_by_labels, sort_by_value

__all__ = [
    "PARTS",
    "PLAIN",
    "Enrichment",
    "InfoSeries",
    "absent",
    "apply_plain",
    "clamp",
    "each_number",
    "enrich",
    "info_matchers",
    "is_label_name",
    "label_join",
    "label_replace",
    "read_calendar",
    "round_to",
    "sort_by_labels",
    "sort_by_value",
]
