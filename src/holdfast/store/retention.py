"""How long rows stay, per tenant and stream. The engine drops them; this only says when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.kernel.ids import TenantId
from holdfast.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class Retention:
    """The rule by which `expires_at` is written with every row.

    Attributes:
        default_s: seconds that rows stay where nothing else is said.
        exact_s: seconds by `stream`, `tenant/stream` or `tenant/*`.
    """

    default_s: float
    exact_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: StoreSettings) -> Retention:
        """Give the rule that the settings say."""
        return cls(settings.retention, dict(settings.retention_of))

    def seconds(self, tenant: TenantId, stream: str) -> int:
        """Give how long rows of `tenant` in `stream` stay; the most exact entry wins, then tenant, then stream."""
        for key in (f"{tenant}/{stream}", f"{tenant}/*", stream):
            if key in self.exact_s:
                return int(self.exact_s[key])
        return int(self.default_s)
