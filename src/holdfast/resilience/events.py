"""What policies tell whoever listens: one small record for each thing worth counting or logging.

A policy without listeners builds no record. Making metrics and log lines of them is `holdfast.instrument`'s work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvent:
    """Something that a policy did.

    Attributes:
        kind: Which pattern: "retry", "breaker", "timeout", ...
        name: The policy's name; empty where it has none.
        what: What happened, in the past tense: "retried", "gave_up", "opened", "timed_out", ...
        at_s: When, on the policy's monotonic clock.
        error: The error that caused it, where one did.
        detail: Numbers and words that belong to `what`.
    """

    kind: str
    name: str
    what: str
    at_s: float
    error: BaseException | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


Listener = Callable[[PolicyEvent], None]

EVERYWHERE: Final[list[Listener]] = []
"""Who listens to every policy of the process; `listen` adds to it."""

_LOG: Final = logging.getLogger("holdfast.resilience")


def listen(listener: Listener) -> Callable[[], None]:
    """Have `listener` called with the events of every policy of this process, in the thread that causes them.

    Returns:
        A function that ends it.
    """
    EVERYWHERE.append(listener)

    def stop() -> None:
        if listener in EVERYWHERE:
            EVERYWHERE.remove(listener)

    return stop


def tell(listeners: Iterable[Listener], event: PolicyEvent) -> None:
    """Call every listener; one that raises is logged and does not harm the guarded call."""
    for listener in (*listeners, *EVERYWHERE):
        try:
            listener(event)
        except Exception:  # noqa: BLE001 -- the fence of a plugin: a listener must not fail the call it watches
            _LOG.exception("a listener failed on %s of %s %r", event.what, event.kind, event.name)
