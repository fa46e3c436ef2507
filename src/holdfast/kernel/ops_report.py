"""What of the ops folder is in force, for every room to read and for two metrics; `kernel.ops` keeps it true."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from holdfast.kernel.errors import InvalidError


@dataclass(frozen=True, slots=True)
class OpsReport:
    """What is in force: since when, with which warnings, and why the newest files are not, if they are not."""

    path: Path
    loaded_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[InvalidError, ...] = ()


@dataclass(slots=True)
class OpsInForce:
    """The newest report; there is one of it in a process."""

    report: OpsReport = field(default_factory=lambda: OpsReport(Path()))

    def show_in(self, registry: CollectorRegistry) -> None:
        """Put what it says into metrics."""
        Gauge(
            "holdfast_ops_last_load_successful",
            "1 if the newest state of the ops folder is in force, 0 if it was refused and an older one is.",
            registry=registry,
        ).set_function(lambda: float(not self.report.problems))
        Gauge(
            "holdfast_ops_last_load_success_timestamp_seconds",
            "When what is in force of the ops folder was read; 0 if nothing was yet.",
            registry=registry,
        ).set_function(lambda: self.report.loaded_at.timestamp() if self.report.loaded_at else 0.0)
