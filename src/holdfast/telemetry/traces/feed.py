"""Tells followers of spans that were accepted; a follower that fails is logged, and spans do not suffer from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast import journal

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.arrivals import SpanFollower
    from holdfast.telemetry.traces.spans import Spans

_LOG: Final = journal.get_logger("holdfast.traces")


class SpanFeed:
    """Who hears of spans."""

    def __init__(self) -> None:
        self._followers: list[SpanFollower] = []

    def follow(self, follower: SpanFollower) -> None:
        """Have a follower told from now on."""
        self._followers.append(follower)

    def leave(self, follower: SpanFollower) -> None:
        """Tell it no more."""
        self._followers.remove(follower)

    def publish(self, tenant: TenantId, spans: Spans) -> None:
        """Tell all of them."""
        for follower in tuple(self._followers):
            try:
                follower.spans_stored(tenant, spans)
            except Exception as error:  # noqa: BLE001 - the fence of a job: spans are stored, whatever a follower does
                _LOG.error("traces.follower_failed", follower=type(follower).__name__, error=repr(error))
