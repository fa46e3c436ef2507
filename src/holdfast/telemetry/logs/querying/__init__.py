"""LogQL over a source of records: lines, and numbers at moments.

Owns evaluation and its limits. Refuses to know where records live, and the protocols in which answers are written out.
"""

from holdfast.telemetry.logs.querying.answers import Line, LinesAnswer, LineStream, NumbersAnswer, QueryCost, gather
from holdfast.telemetry.logs.querying.engine import LogEngine, Moments
from holdfast.telemetry.logs.querying.limits import SECTION, LogQueryLimits
from holdfast.telemetry.logs.querying.pushing import split
from holdfast.telemetry.logs.querying.reading import Span
from holdfast.telemetry.logs.querying.sampling import PipelineError

__all__ = [
    "SECTION",
    "Line",
    "LineStream",
    "LinesAnswer",
    "LogEngine",
    "LogQueryLimits",
    "Moments",
    "NumbersAnswer",
    "PipelineError",
    "QueryCost",
    "Span",
    "gather",
    "split",
]
