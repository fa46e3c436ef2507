"""One attempt from start to observation: its deadline, phases, facts, problems and the secrets it must not print.

A kind writes `examine(attempt)`, which asks the target, notes problems, and returns the line to show when there are
none. The transport is in `network`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from holdfast.health.probes.contract import Fact, Observation, Phases, ProbeContext, Sample
from holdfast.health.probes.faults import FaultError, explain
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.secrets import find_references
from holdfast.kernel.units import format_duration
from holdfast.resilience import timeout

if TYPE_CHECKING:
    from collections.abc import Iterable

Examine = Callable[["Attempt"], Awaitable[str]]

MIN_SECRET_CHARS: Final = 4  # hiding shorter ones would blank half of every message
MAX_MESSAGE_CHARS: Final = 600
_MAX_FACT_CHARS: Final = 200
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SEVERITY: Final = {Verdict.DOWN: 0, Verdict.DEGRADED: 1, Verdict.UNKNOWN: 2, Verdict.UP: 3}

now_s: Final = SystemClock().monotonic


class Attempt:
    """What is known so far of one attempt. Phases add up over redirects and reconnects."""

    __slots__ = (
        "_problems",
        "_secrets",
        "connect_s",
        "context",
        "dns_s",
        "facts",
        "first_byte_s",
        "samples",
        "stage",
        "started_s",
        "tls_s",
        "transfer_s",
    )

    def __init__(self, context: ProbeContext) -> None:
        self.context = context
        self.started_s = now_s()
        self.stage = "starting"
        self.dns_s: float | None = None
        self.connect_s: float | None = None
        self.tls_s: float | None = None
        self.first_byte_s: float | None = None
        self.transfer_s: float | None = None
        self.facts: dict[str, Fact] = {}
        self.samples: list[Sample] = []
        self._problems: list[tuple[Verdict, str]] = []
        self._secrets: list[str] = []

    def note(self, verdict: Verdict, message: str) -> None:
        """Note a problem; the worst one becomes the verdict, all of them the message."""
        self._problems.append((verdict, message))

    def down(self, message: str) -> None:
        """Note that the target does not do what it must."""
        self._problems.append((Verdict.DOWN, message))

    def degraded(self, message: str) -> None:
        """Note that the target works, but not as it should."""
        self._problems.append((Verdict.DEGRADED, message))

    def remaining_s(self) -> float:
        """Give the seconds left until the deadline, never negative."""
        return max(0.0, self.context.timeout_s - (now_s() - self.started_s))

    async def expand(self, text: str) -> str:
        """Replace the secret references in `text` by their values, and remember those for redaction.

        Raises:
            HoldfastError: a reference cannot be resolved; the attempt then reads `unknown`.
        """
        if "${" not in text:
            return text
        # A provider may block, on a file or on a server of its own.
        return await asyncio.to_thread(self._expand, text)

    def _expand(self, text: str) -> str:
        for reference in find_references(text):
            self.hide(self.context.resolve_secret(str(reference)))
        return self.context.resolve_secret(text)

    def hide(self, secret: str) -> None:
        """Keep `secret` out of the message and the facts."""
        if len(secret) >= MIN_SECRET_CHARS:
            self._secrets.append(secret)

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def conclude(self, summary: str) -> Observation:
        """Give the observation; `summary` is its message when no problem was noted."""
        ended_s = now_s()
        verdict, message = Verdict.UP, one_line(summary)
        if self._problems:
            ordered = sorted(self._problems, key=lambda problem: _SEVERITY[problem[0]])
            verdict, message = ordered[0][0], one_line("; ".join(text for _, text in ordered))
        if self._secrets:
            message = self._redacted(message)
            self.facts = {
                name: self._redacted(fact) if isinstance(fact, str) else fact for name, fact in self.facts.items()
            }
        phases = Phases(self.dns_s, self.connect_s, self.tls_s, self.first_byte_s, self.transfer_s)
        return Observation(verdict, message, ended_s - self.started_s, phases, self.facts, tuple(self.samples))


async def observe(context: ProbeContext, examine: Examine) -> Observation:
    """Run `examine` within the deadline and turn every way it can end into an observation."""
    attempt = Attempt(context)
    summary = ""
    try:
        async with timeout(context.timeout_s):
            summary = await examine(attempt)
    except FaultError as fault:
        attempt.note(fault.verdict, fault.message)
    except OSError as error:
        if isinstance(error, TimeoutError) and error.errno is None:  # our own deadline, not the kernel's
            limit = format_duration(context.timeout_s)
            attempt.down(f"no verdict within {limit}: stopped while {attempt.stage}")
        else:
            explained = explain(error, attempt.stage)
            attempt.note(explained.verdict, explained.message)
    except HoldfastError as error:
        attempt.note(Verdict.UNKNOWN, str(error))
    return attempt.conclude(summary)


def span(seconds: float) -> str:
    """Give a measured time with three digits: `0.412 ms`, `38.1 ms`, `2.05 s`."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def one_line(text: str, limit: int = MAX_MESSAGE_CHARS) -> str:
    """Make foreign text fit for one line: no control characters, at most `limit` characters."""
    flat = _UNPRINTABLE.sub(" ", text).strip()
    return flat if len(flat) <= limit else f"{flat[: limit - 3]}..."


def quote(text: str, limit: int = 80) -> str:
    """Give `text` in double quotes as evidence inside a message."""
    return f'"{one_line(text, limit)}"'


def fact(value: object) -> str:
    """Give foreign text as a fact: one line of bounded length."""
    return one_line(str(value), _MAX_FACT_CHARS)


def listed(names: Iterable[str], limit: int = 5) -> str:
    """Give the first names and how many more there are: `a, b, c and 4 more`."""
    every = list(names)
    shown = ", ".join(one_line(name, 60) for name in every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"
