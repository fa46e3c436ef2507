"""Metrics of batch jobs, pushed as to a Pushgateway: kept by group until they are pushed anew or deleted.

Owns the table of groups. Refuses timestamps: what is pushed counts as of now, for as long as the group is there.
"""

from holdfast.telemetry.metrics.push.gateway import Gateway
from holdfast.telemetry.metrics.push.routes import PREFIXES, push_routes, push_surface
from holdfast.telemetry.metrics.push.settings import SECTION, PushSettings
from holdfast.telemetry.metrics.push.shelf import Shelf

__all__ = [
    "PREFIXES",
    "SECTION",
    "Gateway",
    "PushSettings",
    "Shelf",
    "push_routes",
    "push_surface",
]
