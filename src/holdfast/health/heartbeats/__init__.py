"""Heartbeats: dead man's switches that jobs call, and that turn down when the calls stop.

Owns keys, calls and what they mean. Refuses schedules of jobs: it only knows when a call is due.
"""

from holdfast.health.heartbeats.book import HeartbeatBook, HeartbeatProbe
from holdfast.health.heartbeats.judging import Pulse, Signal, judge, receive
from holdfast.health.heartbeats.spec import HEARTBEAT, HeartbeatSpec

__all__ = [
    "HEARTBEAT",
    "HeartbeatBook",
    "HeartbeatProbe",
    "HeartbeatSpec",
    "Pulse",
    "Signal",
    "judge",
    "receive",
]
