"""What `holdfast check` shows: one report as a table, JSON, Markdown or HTML.

Owns how results look outside the console. Refuses running checks.
"""

from holdfast.health.reports.documents import write_html, write_json, write_markdown
from holdfast.health.reports.report import EXIT_CODES, ICONS, Report
from holdfast.health.reports.terminal import draw_report, mark

__all__ = ["EXIT_CODES", "ICONS", "Report", "draw_report", "mark", "write_html", "write_json", "write_markdown"]
