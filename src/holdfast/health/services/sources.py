"""What service health needs to know of checks; the health room fills it in, tests have their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from holdfast.health.checks import Check
from holdfast.health.engine import CheckState
from holdfast.health.views import CheckSummary
from holdfast.kernel.ids import ServiceId


class Checks(Protocol):
    """Where checks stand, and whom they speak for."""

    def states(self) -> Iterable[CheckState]:
        """Give where every check stands now; asked some times a second at most."""
        ...

    def services_of(self, check: Check) -> frozenset[ServiceId]:
        """Give the services that a check speaks for."""
        ...

    async def summaries(self, names: Sequence[str]) -> list[CheckSummary]:
        """Give the checks of these names as lists show them; those that are gone are missing."""
        ...
