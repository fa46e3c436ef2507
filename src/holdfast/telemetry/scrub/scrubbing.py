"""Who scrubs for which tenant, and the count of what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter as Metric

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.arriving import current_door
from holdfast.telemetry.scrub.settings import DEFAULTS, Action, ScrubSettings, TenantScrubbing
from holdfast.telemetry.scrub.texts import TextScrubber

if TYPE_CHECKING:
    from collections import Counter

    from prometheus_client import CollectorRegistry

    from holdfast.kernel.ids import TenantId


class Scrubbing:
    """The scrubbers of all tenants, made once from the settings."""

    def __init__(self, settings: ScrubSettings, registry: CollectorRegistry) -> None:
        """Compile.

        Raises:
            InvalidError: an own expression is not RE2, or something is to be hashed and there is no salt.
        """
        self._everybody = scrubber_of(settings)
        self._tenants = {tenant: scrubber_of(settings, tenant) for tenant in settings.tenants}
        self.finds: dict[tuple[str, str, str, Action], int] = {}
        self.by_door: dict[tuple[str, str], dict[str, int]] = {}  # tenant and kind: finds by door
        self._metric = Metric(
            "holdfast_scrub_finds",
            "Secrets and personal data that were taken out before anything was kept.",
            ("signal", "kind", "action"),
            registry=registry,
        )

    def of(self, tenant: TenantId) -> TextScrubber:
        """Give the scrubber of a tenant."""
        return self._tenants.get(tenant, self._everybody)

    def count(self, tenant: TenantId, signal: str, finds: Counter[tuple[str, Action]]) -> None:
        """Count what was found."""
        for (kind, action), number in finds.items():
            key = (tenant, signal, str(kind), action)
            self.finds[key] = self.finds.get(key, 0) + number
            doors = self.by_door.setdefault((tenant, str(kind)), {})
            door = current_door() or signal
            doors[door] = doors.get(door, 0) + number
            self._metric.labels(signal, kind, action).inc(number)


def scrubber_of(settings: ScrubSettings, tenant: str = "") -> TextScrubber:
    """Give the scrubber of a tenant; of everybody if it is empty or has nothing of its own.

    Raises:
        InvalidError: an own expression is not RE2, or something is to be hashed and there is no salt.
    """
    differing = settings.tenants.get(tenant, TenantScrubbing())
    actions: dict[str, Action] = {}
    for chosen in (DEFAULTS, settings.kinds, differing.kinds):
        actions.update({str(kind): action for kind, action in chosen.items()})
    own = (*settings.own, *differing.own)
    names = [pattern.name for pattern in own]
    for name in names:
        if names.count(name) > 1 or name in DEFAULTS:
            raise InvalidError(f"scrub.own: two patterns are called {name!r}", hint="give each its own name")
    salt = settings.salt.reveal()
    if not salt and Action.HASH in {*actions.values(), *(pattern.action for pattern in own)}:
        raise InvalidError(
            "scrub.salt is empty, and something is to be hashed",
            hint="set HOLDFAST_SCRUB_SALT to a long random text and keep it: hashes are only equal under the same salt",
        )
    return TextScrubber(actions, own, salt.encode())
