"""What becomes of the instants that are due when runs of the same schedule have not ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast.kernel.runs.schedules.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with the instants.

    Attributes:
        start: instants whose run starts now, oldest first.
        held: instants that wait until the run before has ended.
        dropped: how many start nothing.
        cancels: whether the active runs are cancelled first.
    """

    start: tuple[datetime, ...] = ()
    held: tuple[datetime, ...] = ()
    dropped: int = 0
    cancels: bool = False


def judge(schedule: Schedule, held: Sequence[datetime], due: Sequence[datetime], *, is_active: bool) -> Verdict:
    """Decide about `due`, and about the instants `held` since earlier, by the schedule's policy.

    Several instants of one moment (after an absence) overlap each other: `skip` and `cancel-old` start the newest,
    `queue` starts the oldest and holds the others, `allow` starts all.
    """
    waiting = tuple(sorted({*held, *due}))
    if schedule.overlap == "allow":
        return Verdict(start=waiting)
    if schedule.overlap == "queue":
        kept = waiting[-schedule.catch_up_limit :]
        dropped = len(waiting) - len(kept)
        return Verdict(held=kept, dropped=dropped) if is_active else Verdict(kept[:1], kept[1:], dropped)
    if not waiting:
        return Verdict()
    if schedule.overlap == "cancel-old":
        return Verdict(start=waiting[-1:], dropped=len(waiting) - 1, cancels=is_active)
    return Verdict(dropped=len(waiting)) if is_active else Verdict(waiting[-1:], dropped=len(waiting) - 1)
