"""Metrics made from spans: calls, errors and durations of every operation and of every edge between services.

Owns their counts and how they become series. Refuses to count stored spans: that is `statistics`.
"""

from holdfast.telemetry.traces.red.follower import RedFollower
from holdfast.telemetry.traces.red.series import CALLS, DURATION, FAILED, REQUESTS, SERVER, HistogramName

__all__ = ["CALLS", "DURATION", "FAILED", "REQUESTS", "SERVER", "HistogramName", "RedFollower"]
