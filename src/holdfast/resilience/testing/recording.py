"""Remembers what policies did, for a test to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.resilience.events import PolicyEvent, listen


class Recorder:
    """A listener that keeps every event: `policy.add_listener(recorder)`, or `with record() as recorder`."""

    def __init__(self) -> None:
        self.events: list[PolicyEvent] = []

    def __call__(self, event: PolicyEvent) -> None:
        """Keep one."""
        self.events.append(event)

    @property
    def story(self) -> list[str]:
        """What happened, as "retry.retried", in order."""
        return [f"{event.kind}.{event.what}" for event in self.events]

    def of(self, kind: str, what: str = "") -> list[PolicyEvent]:
        """Give the events of one kind of policy, or those of them that say `what`."""
        return [event for event in self.events if event.kind == kind and what in {"", event.what}]


@contextmanager
def record() -> Iterator[Recorder]:
    """Record the events of every policy of the process inside the block."""
    recorder = Recorder()
    stop = listen(recorder)
    try:
        yield recorder
    finally:
        stop()
