"""Joins the host's measurements to the app: a job, two routes."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.health.host.reading import HostReader
from holdfast.health.host.routes import routes
from holdfast.health.host.sampler import HostSampler, Recorder
from holdfast.health.host.series import HostHistory, Source
from holdfast.health.host.settings import HostSettings
from holdfast.kernel.wiring import Ground, Job, Wiring


@dataclass(frozen=True, slots=True)
class Host:
    """The host and how it is wired."""

    sampler: HostSampler
    wiring: Wiring


def wire(ground: Ground, recorder: Recorder, source: Source) -> Host:
    """Build the host's part.

    Args:
        ground: what every room stands on.
        recorder: takes the numbers; `telemetry.MetricSink`.
        source: gives them back; `telemetry.MetricSource`.
    """
    settings = ground.settings[HostSettings]
    sampler = HostSampler(HostReader(ground.clock), recorder, ground.clock, settings.every)
    history = HostHistory(source, settings.every)
    return Host(
        sampler,
        Wiring(
            name="host",
            routers=(routes(sampler, history, ground.clock),),
            jobs=(Job("host.measure", sampler.run, "api"),) if settings.enabled else (),
        ),
    )
