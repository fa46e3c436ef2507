"""Joins the doors to the app: routes at the root, the gRPC server as a job, permissions, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.telemetry import otlp
from holdfast.telemetry.backlog import SECTION as BACKLOG_SECTION
from holdfast.telemetry.ledger import Signal
from holdfast.telemetry.metrics import otlp as metrics_otlp
from holdfast.telemetry.metrics import permissions, push, remote
from holdfast.telemetry.metrics.intake import IntakeMeters, LabelLimits

if TYPE_CHECKING:
    from holdfast.kernel.auth import Gate
    from holdfast.kernel.members import Membership
    from holdfast.telemetry.metrics.scrape import ScrapeRoom
    from holdfast.telemetry.wiring import TelemetryRoom

SECTIONS: Final = (BACKLOG_SECTION, remote.SECTION, otlp.SECTION, metrics_otlp.SECTION, push.SECTION)


@dataclass(frozen=True, slots=True)
class DoorsRoom:
    """The doors and how they are wired."""

    writer: remote.RemoteWriter
    grpc: otlp.OtlpGrpc
    gateway: push.Gateway
    wiring: Wiring


def wire(
    ground: Ground,
    signals: TelemetryRoom,
    scraping: ScrapeRoom,
    members: Membership,
    gate: Gate,
    services: Sequence[otlp.Service] = (),
) -> DoorsRoom:
    """Build the doors over the telemetry room.

    `gate` admits gRPC callers, who do not come through the routes; `services` are the other signals that gRPC takes.
    """
    settings = ground.settings[remote.RemoteWriteSettings]
    meters = IntakeMeters(ground.metrics, signals.ledger.ledger)
    writer = remote.RemoteWriter(signals.sink, settings=settings, meters=meters, clock=ground.clock)
    limits = LabelLimits(settings.max_labels, settings.max_label_name, settings.max_label_value)
    exported = metrics_otlp.OtlpMetrics(
        signals.sink,
        clock=ground.clock,
        settings=ground.settings[metrics_otlp.OtlpMetricsSettings],
        options=scraping.otlp_options,
        limits=limits,
        meters=meters,
    )
    service = metrics_otlp.metrics_service(exported, signals.backlog)
    grpc = otlp.OtlpGrpc(
        (service, *services), gate, ground.settings[otlp.OtlpSettings], clock=ground.clock, refused=signals.ledger.doors
    )
    pushing = ground.settings[push.PushSettings]
    shelf = push.Shelf(ground.db, most_groups=pushing.max_groups)
    gateway = push.Gateway(
        signals.sink,
        shelf,
        ground.clock,
        interval_s=pushing.interval,
        limits=limits,
        meters=meters,
        owns=members.owns,
    )
    wiring = Wiring(
        name="telemetry.doors",
        routers=(push.push_routes(gateway),),
        surfaces=(
            push.push_surface(gateway, signals.backlog, pushing),
            remote.write_routes(writer, signals.backlog),
            remote.read_routes(signals.source, settings),
            otlp.http_routes(service, *metrics_otlp.PATHS),
        ),
        jobs=(Job("otlp.grpc", grpc.run, "ingest"), Job("push.refresh", gateway.run, "ingest")),
        migrations="holdfast.telemetry.metrics.push.migrations",
        permissions=(permissions.READ, permissions.WRITE),
        doors=dict.fromkeys((remote.WRITE_PATH, *metrics_otlp.PATHS, *push.PREFIXES), Signal.METRICS),
    )
    return DoorsRoom(writer, grpc, gateway, wiring)
