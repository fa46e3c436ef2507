"""Requests to the doors of signals that were refused, noted where no sink has told of their records.

Knows the doors by their paths, which rooms hand over; the web front asks it around each request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.http import problems
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.telemetry.ledger.reasons import DOOR_REASONS, Reason
from holdfast.telemetry.ledger.signals import Signal

if TYPE_CHECKING:
    from holdfast.telemetry.ledger.ledger import Ledger

_SENDING: Final = frozenset({"POST", "PUT"})
_FIRST_FAULT: Final = 400
_NOT_DOORS: Final = frozenset({404, 405})  # there is no such door


class RefusedAtDoors:
    """Tells the ledger of requests that a door refused."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._exact: dict[str, Signal] = {}
        self._begun: dict[str, Signal] = {}

    def watch(self, paths: Mapping[str, str]) -> None:
        """Take more doors: the signal by the path, or by how paths begin if it ends in a slash."""
        for path, signal in paths.items():
            (self._begun if path.endswith("/") else self._exact)[path] = Signal(signal)

    def signal_of(self, method: str, path: str) -> Signal | None:
        """Give the signal that a request brings; None where it comes to no door."""
        if method not in _SENDING:
            return None
        found = self._exact.get(path)
        if found is None:
            found = next((signal for begin, signal in self._begun.items() if path.startswith(begin)), None)
        return found

    def note(self, signal: Signal, status: int, *, admitted: TenantId | None, named: str, size: int) -> None:
        """Note a request that was answered with a status; only one of a fault counts.

        Args:
            signal: of the door.
            status: of HTTP.
            admitted: the tenant that the sender was let in for, if it was.
            named: the tenant that the request names; believed without proof only if it has sent something before.
            size: of the body, as it was declared.
        """
        if status < _FIRST_FAULT or status in _NOT_DOORS:
            return
        claimed = TenantId(named)
        tenant = admitted or (claimed if named and self._ledger.knows(claimed) else DEFAULT_TENANT)
        self._ledger.note(tenant, signal, "", DOOR_REASONS.get(status, Reason.OTHER), records=0, size=size)

    def note_error(self, signal: Signal, error: HoldfastError, *, admitted: TenantId | None, named: str) -> None:
        """Note a request over gRPC that ended with an error."""
        self.note(signal, problems.status_of(error), admitted=admitted, named=named, size=0)
