"""What may stand between the doors and the store: who scrubs, who limits, who follows.

The sink asks them in this order: `Scrubber`, `Quota`, the store, then every `RecordFollower`. Each has a twin here that
does nothing; the app puts real ones in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.arrivals import Refusal
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.metrics.labels import Labels


class Scrubber(Protocol):
    """Takes secrets and personal data out, before anything is queued, stored, followed or logged."""

    def scrub(self, tenant: TenantId, records: Records) -> Records:
        """Give the records as they may be kept: as many, in the same order (`dataclasses.replace`).

        Bodies, attributes, shared metadata and severity texts are the sender's words. Runs in a thread when there are
        many; an error stops the arrival, so that nothing enters unscrubbed.
        """
        ...

    def scrub_labels(self, tenant: TenantId, labels: Labels) -> Labels:
        """Give the labels of a new stream as they may be kept; sorted, each name once."""
        ...


class Quota(Protocol):
    """Limits how much a tenant and each stream may send."""

    def refuse(
        self, tenant: TenantId, records: Records, streams: Sequence[Labels]
    ) -> Sequence[tuple[npt.NDArray[np.bool_], Refusal]]:
        """Give which records are refused for good, each by one reason. `streams` are labels by reference.

        Counts what it lets through, and its own refusals by stream.

        Raises:
            LimitError: all of it may come later.
        """
        ...


class RecordFollower(Protocol):
    """Somebody who looks at what comes in: patterns, live tails."""

    def records_stored(self, tenant: TenantId, records: Records, streams: Sequence[Labels]) -> None:
        """Take that these records are in the store now; `streams` are labels by reference.

        Comes after the store has accepted them and before the sender gets its answer; must be quick, or hand over to a
        bounded queue of its own. Records of other processes are not told here.
        """
        ...


class NoScrubber:
    """Leaves everything as it is."""

    def scrub(self, tenant: TenantId, records: Records) -> Records:
        """Give the records back."""
        del tenant
        return records

    def scrub_labels(self, tenant: TenantId, labels: Labels) -> Labels:
        """Give the labels back."""
        del tenant
        return labels


class NoQuota:
    """Takes everything."""

    def refuse(
        self, tenant: TenantId, records: Records, streams: Sequence[Labels]
    ) -> Sequence[tuple[npt.NDArray[np.bool_], Refusal]]:
        """Refuse nothing."""
        del tenant, records, streams
        return ()


class LogFeed:
    """The followers of one sink."""

    def __init__(self) -> None:
        self._followers: list[RecordFollower] = []

    def follow(self, follower: RecordFollower) -> None:
        """Tell `follower` from now on."""
        self._followers.append(follower)

    def leave(self, follower: RecordFollower) -> None:
        """Tell `follower` no more."""
        self._followers.remove(follower)

    def records_stored(self, tenant: TenantId, records: Records, streams: Sequence[Labels]) -> None:
        """Tell everybody."""
        for follower in tuple(self._followers):
            follower.records_stored(tenant, records, streams)
