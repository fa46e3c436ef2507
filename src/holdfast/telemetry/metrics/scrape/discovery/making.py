"""The discoverers of one job, from what its section says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.telemetry.metrics.scrape.config import (
    Discovery,
    DnsDiscovery,
    FileDiscovery,
    KubernetesDiscovery,
    ScrapeJob,
    TargetGroup,
)
from holdfast.telemetry.metrics.scrape.discovery.contract import Discoverer
from holdfast.telemetry.metrics.scrape.discovery.files import FileWatch
from holdfast.telemetry.metrics.scrape.discovery.groups import StaticDiscovery
from holdfast.telemetry.metrics.scrape.discovery.kubernetes import ClusterTargets
from holdfast.telemetry.metrics.scrape.discovery.listed import ListedTargets
from holdfast.telemetry.metrics.scrape.discovery.names import NamedTargets

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.calling import Callers
    from holdfast.telemetry.metrics.scrape.discovery.failures import Failures


def discoverers(job: ScrapeJob, callers: Callers, clock: Clock, failures: Failures) -> list[Discoverer]:
    """Give a discoverer for each section of a job."""
    return [_discoverer(index, section, job, callers, clock, failures) for index, section in enumerate(job.discoveries)]


def _discoverer(
    index: int, section: Discovery, job: ScrapeJob, callers: Callers, clock: Clock, failures: Failures
) -> Discoverer:
    if isinstance(section, TargetGroup):
        return StaticDiscovery(section, str(index))
    if isinstance(section, FileDiscovery):
        return FileWatch(section, job.base, clock, failures)
    if isinstance(section, DnsDiscovery):
        return NamedTargets(section, clock, failures)
    if isinstance(section, KubernetesDiscovery):
        return ClusterTargets(section, callers, job.base, clock, failures)
    caller = callers.caller(section, job.base, "scrape_discovery")
    return ListedTargets(section, caller, clock, failures)
