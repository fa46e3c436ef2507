"""Around a moment: everything that moved for a service, ranked, with its time, its size and where it is seen.

Owns the comparison of signals with the time before and with last week. Refuses to judge health and to keep anything.
"""

from holdfast.telemetry.correlate.engine import Correlator, Subject
from holdfast.telemetry.correlate.findings import Evidence, Finding, Lane, Report
from holdfast.telemetry.correlate.moment import Moment, read_moment
from holdfast.telemetry.correlate.movement import Direction, Movement, judge
from holdfast.telemetry.correlate.settings import SECTION, AroundSettings
from holdfast.telemetry.correlate.wiring import AroundRoom, wire

__all__ = [
    "SECTION",
    "AroundRoom",
    "AroundSettings",
    "Correlator",
    "Direction",
    "Evidence",
    "Finding",
    "Lane",
    "Moment",
    "Movement",
    "Report",
    "Subject",
    "judge",
    "read_moment",
    "wire",
]
