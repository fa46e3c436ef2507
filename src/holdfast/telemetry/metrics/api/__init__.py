"""Prometheus' HTTP API at `/prometheus`, over the desk of queries and the browser of series.

Owns the forms of requests and answers; refuses to evaluate, to store or to know where samples come from.
"""

from holdfast.telemetry.metrics.api.envelope import PrometheusRoute, failure, success
from holdfast.telemetry.metrics.api.federation import Federation, count_left_out
from holdfast.telemetry.metrics.api.numbers import write_value
from holdfast.telemetry.metrics.api.origins import Origins
from holdfast.telemetry.metrics.api.parameters import Parameters
from holdfast.telemetry.metrics.api.queries import QueryRoutes
from holdfast.telemetry.metrics.api.search import SearchRoutes
from holdfast.telemetry.metrics.api.self_metrics import SelfMetricRoutes
from holdfast.telemetry.metrics.api.series import SeriesRoutes
from holdfast.telemetry.metrics.api.status import Around, StatusRoutes
from holdfast.telemetry.metrics.api.surface import PREFIX, Part, surface
from holdfast.telemetry.metrics.api.targets import TargetRoutes
from holdfast.telemetry.metrics.api.wiring import QueryRoom, wire

__all__ = [
    "PREFIX",
    "Around",
    "Federation",
    "Origins",
    "Parameters",
    "Part",
    "PrometheusRoute",
    "QueryRoom",
    "QueryRoutes",
    "SearchRoutes",
    "SelfMetricRoutes",
    "SeriesRoutes",
    "StatusRoutes",
    "TargetRoutes",
    "count_left_out",
    "failure",
    "success",
    "surface",
    "wire",
    "write_value",
]
