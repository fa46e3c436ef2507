"""What a process needs to be one of ours: a data folder that it alone owns, and jobs that outlive their crashes.

Refuses to know what the jobs do. `app.py` uses both.
"""

from holdfast.kernel.processes.collector import calm_collector, paused_collector, settle_collector
from holdfast.kernel.processes.folder import DataFolder
from holdfast.kernel.processes.settings import ALL_ROLES, SECTION, ServerSettings
from holdfast.kernel.processes.supervision import JobReport, Supervisor

__all__ = [
    "ALL_ROLES",
    "SECTION",
    "DataFolder",
    "JobReport",
    "ServerSettings",
    "Supervisor",
    "calm_collector",
    "paused_collector",
    "settle_collector",
]
