"""Joins members to the app: the table, and the beat of the processes that take samples in."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.kernel.members.membership import Membership
from holdfast.kernel.members.metrics import MemberMetrics
from holdfast.kernel.wiring import Ground, Job, Wiring


@dataclass(frozen=True, slots=True)
class MembersRoom:
    """The processes that take samples in, and how their beat is wired."""

    ingest: Membership
    wiring: Wiring


def wire(ground: Ground) -> MembersRoom:
    """Build the room."""
    ingest = Membership(ground.db, ground.clock, "ingest", metrics=MemberMetrics(ground.metrics))
    wiring = Wiring(
        name="members",
        migrations="holdfast.kernel.members.migrations",
        jobs=(Job("members.beat", ingest.run, "ingest"),),
    )
    return MembersRoom(ingest, wiring)
