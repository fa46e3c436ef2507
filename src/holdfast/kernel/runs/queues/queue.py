"""What a queue is: a name and its limits. Who may start within them is `claiming`; what people change is `modes`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic_core import PydanticCustomError

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.runs.queues.rates import Rate, parse_rate
from holdfast.kernel.units import parse_duration

DEFAULT_QUEUE: Final = "default"
MAX_PRIORITY: Final = 1000
DEFAULT_BACKLOG: Final = 1_000_000
NO_KEY: Final = ""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of runs and what it allows.

    Attributes:
        name: lower-case letters, digits, `.`, `_`, `-` and `/`.
        concurrency: runs at once, over all processes.
        per_worker: runs at once in one process.
        per_key: runs at once with the same `concurrency_key`, over all processes; runs without a key are not bounded by
            it.
        rate: starts in any period, over all processes, such as `10/1m`.
        ageing: the time of waiting that is worth one step of priority, so that nothing waits for ever.
        max_queued: runs that may wait; the next start is refused.
        while_waiting: whether a run that sleeps or awaits a signal `holds` its place (two deploys never interleave) or
            `frees` it (then it queues again to go on).
    """

    name: str
    concurrency: int | None = None
    per_worker: int | None = None
    per_key: int | None = None
    rate: str | None = None
    ageing: str = "1m"
    max_queued: int = DEFAULT_BACKLOG
    while_waiting: Literal["holds", "frees"] = "holds"
    starts: Rate | None = field(init=False, repr=False, compare=False)
    ageing_us: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            InvalidError: the name or a limit; the message names it.
        """
        if not _NAME.fullmatch(self.name):
            raise InvalidError(
                f"{self.name!r} is not a queue's name",
                hint="up to 100 lower-case letters, digits, '.', '_', '-' and '/', such as deploys or mail.bulk",
            )
        for limit in ("concurrency", "per_worker", "per_key", "max_queued"):
            value = getattr(self, limit)
            if value is not None and value < 1:
                raise InvalidError(
                    f"queue {self.name}: {limit} is {value}",
                    hint="it is at least 1; to let nothing start, pause the queue",
                )
        if self.while_waiting not in {"holds", "frees"}:
            raise InvalidError(f"queue {self.name}: while_waiting is {self.while_waiting!r}", hint="'holds' or 'frees'")
        object.__setattr__(self, "starts", parse_rate(self.rate) if self.rate else None)
        object.__setattr__(self, "ageing_us", self._read_ageing())

    @property
    def is_limited(self) -> bool:
        """Tell whether starting a run needs a look at the others; a queue without limits starts at once."""
        return bool(self.concurrency or self.per_worker or self.per_key or self.starts)

    def rank(self, due_at: datetime, priority: int) -> int:
        """Give the place in the order of claims; the smallest goes first.

        It never changes while a run waits, because every run ages at the same pace: one step of priority is worth
        `ageing`, so a run is overtaken only by those that came less than that much later per step.
        """
        return (due_at - _EPOCH) // _MICROSECOND - priority * self.ageing_us

    def key(self, concurrency_key: str | None) -> str | None:
        """Give the key as rows keep it: where keys are counted, runs without one are a line of their own."""
        return NO_KEY if concurrency_key is None and self.per_key is not None else concurrency_key

    def _read_ageing(self) -> int:
        try:
            ageing_s = parse_duration(self.ageing)
        except PydanticCustomError as error:
            raise InvalidError(f"queue {self.name}: ageing: {error.message()}") from None
        if not 0 < ageing_s <= 86_400:
            raise InvalidError(f"queue {self.name}: ageing is {self.ageing}", hint="it is more than 0 and at most 1d")
        return round(ageing_s * 1_000_000)


def check_priority(priority: int) -> int:
    """Give `priority` back.

    Raises:
        InvalidError: it is not within -1000 and 1000.
    """
    if not -MAX_PRIORITY <= priority <= MAX_PRIORITY:
        raise InvalidError(
            f"priority {priority} is out of range", hint=f"from -{MAX_PRIORITY} to {MAX_PRIORITY}, greater goes first"
        )
    return priority
