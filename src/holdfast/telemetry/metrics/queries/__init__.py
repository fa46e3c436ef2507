"""The desk where queries of metrics are taken: parsed once, admitted fairly, bounded, timed, counted, cancelled.

Everybody who asks for an answer of PromQL comes here: the HTTP API, pages, rules. Refuses to know HTTP and PromQL's
meaning; the engine has that.
"""

from holdfast.telemetry.metrics.queries.desk import ActiveQuery, Asked, QueryDesk
from holdfast.telemetry.metrics.queries.metrics import QueryMetrics
from holdfast.telemetry.metrics.queries.settings import SECTION, QuerySettings

__all__ = ["SECTION", "ActiveQuery", "Asked", "QueryDesk", "QueryMetrics", "QuerySettings"]
