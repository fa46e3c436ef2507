"""How many series there are and may be: limits on new ones, who sends them, which label explodes, what is unused.

Decides on new series and reports; forgetting idle ones is the sink's work.
"""

from holdfast.telemetry.metrics.cardinality.counts import CardinalityReport
from holdfast.telemetry.metrics.cardinality.limits import SeriesLimits
from holdfast.telemetry.metrics.cardinality.report import Cardinality, MetricUses
from holdfast.telemetry.metrics.cardinality.routes import routes
from holdfast.telemetry.metrics.cardinality.usage import Usage

__all__ = ["Cardinality", "CardinalityReport", "MetricUses", "SeriesLimits", "Usage", "routes"]
