"""Schedules: workflows that start by the clock, each instant exactly once over all processes and crashes.

Owns when runs are due, what happens with late and overlapping ones, and the files that say so. The rules of cron and of
daylight saving are `kernel.schedule`'s; the runs are the engine's.
"""

from holdfast.kernel.runs.schedules.book import CHANGED, ScheduleBook, ScheduleView
from holdfast.kernel.runs.schedules.files import load_schedules
from holdfast.kernel.runs.schedules.rows import Standing
from holdfast.kernel.runs.schedules.schedule import Schedule
from holdfast.kernel.runs.schedules.ticking import SKIPPED, Launcher, Tick

__all__ = [
    "CHANGED",
    "SKIPPED",
    "Launcher",
    "Schedule",
    "ScheduleBook",
    "ScheduleView",
    "Standing",
    "Tick",
    "load_schedules",
]
