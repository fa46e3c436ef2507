"""Checks as code: what a check is, the files that describe them, maintenance windows, parents.

Owns reading and judging `checks/*.yaml`. Refuses running anything.
"""

from holdfast.health.checks.check import Check, Flap, Retries
from holdfast.health.checks.files import CheckBook, find_check_files, load_checks
from holdfast.health.checks.lineage import Lineage
from holdfast.health.checks.windows import Once, Period, Recurring, Selector, Window

__all__ = [
    "Check",
    "CheckBook",
    "Flap",
    "Lineage",
    "Once",
    "Period",
    "Recurring",
    "Retries",
    "Selector",
    "Window",
    "find_check_files",
    "load_checks",
]
