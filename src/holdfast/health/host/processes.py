"""The processes that use the most, cheaply: two small reads per process and scan, names and owners only for the top.

The scan paces itself: it may take half a percent of one processor, so with very many processes it comes less often.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import psutil

from holdfast.health.host.snapshot import Process

TOP: Final = 15
_SHARE: Final = 0.005
_COMMAND_LENGTH: Final = 200
_SECRET_WORDS: Final = ("password", "passwd", "secret", "token", "key")


@dataclass(frozen=True, slots=True)
class _Usage:
    """What one process has used; `cpu_s` counts from its start."""

    process: psutil.Process
    started: float
    cpu_s: float
    rss_bytes: int


class Processes:
    """Keeps the last scan in mind, so that each new one yields what was used in between."""

    def __init__(
        self,
        scan: Callable[[], Iterable[psutil.Process]] = psutil.process_iter,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scan = scan
        self._monotonic = monotonic
        self._before: dict[int, _Usage] = {}
        self._before_s: float | None = None
        self._not_before_s = 0.0
        self._top: tuple[Process, ...] = ()
        self.count = 0

    def read(self) -> tuple[Process, ...]:
        """Give the greatest users of CPU and of memory, by CPU and then memory; the last answer if it is too soon."""
        now_s = self._monotonic()
        if now_s < self._not_before_s:
            return self._top
        started_s = time.thread_time()
        usages = {usage.process.pid: usage for process in self._scan() if (usage := _measure(process))}
        elapsed_s = now_s - self._before_s if self._before_s is not None else None
        shares = {pid: self._share(usage, elapsed_s) for pid, usage in usages.items()}
        self._top = tuple(found for usage in _choose(usages, shares) if (found := _describe(usage, shares)))
        self.count = len(usages)
        if self._before_s is not None:  # the second scan, which first tells shares, may come soon
            self._not_before_s = now_s + (time.thread_time() - started_s) / _SHARE
        self._before, self._before_s = usages, now_s
        return self._top

    def _share(self, usage: _Usage, elapsed_s: float | None) -> float | None:
        """Give the processors used since the last scan; a process born in between counts from its birth."""
        if not elapsed_s:
            return None
        before = self._before.get(usage.process.pid)
        is_same = before is not None and before.started == usage.started
        return max(0.0, usage.cpu_s - (before.cpu_s if before and is_same else 0.0)) / elapsed_s


def _measure(process: psutil.Process) -> _Usage | None:
    """Read one process; None for one that has ended or that we may not look at."""
    try:
        with process.oneshot():
            times = process.cpu_times()
            memory = process.memory_info()
            return _Usage(process, process.create_time(), times.user + times.system, memory.rss)
    except (psutil.Error, OSError):
        return None


def _choose(usages: dict[int, _Usage], shares: dict[int, float | None]) -> list[_Usage]:
    """Take the top by CPU and the top by memory, each once, ordered by CPU and then memory."""

    def by_cpu(usage: _Usage) -> tuple[float, int]:
        return shares[usage.process.pid] or 0.0, usage.rss_bytes

    busy = heapq.nlargest(TOP, usages.values(), key=by_cpu)
    large = heapq.nlargest(TOP, usages.values(), key=lambda usage: usage.rss_bytes)
    chosen = {usage.process.pid: usage for usage in (*busy[: TOP - 5], *large[:5], *busy)}
    return sorted(list(chosen.values())[:TOP], key=by_cpu, reverse=True)


def _describe(usage: _Usage, shares: dict[int, float | None]) -> Process | None:
    process = usage.process
    try:
        with process.oneshot():
            name, user, words = process.name(), _user_of(process), _command_of(process)
    except (psutil.Error, OSError):
        return None
    return Process(
        pid=process.pid,
        name=name,
        user=user,
        command=mask_command(words) or name,
        rss_bytes=usage.rss_bytes,
        cpu_ratio=shares[process.pid],
    )


def _user_of(process: psutil.Process) -> str:
    try:
        return process.username()
    except (psutil.Error, OSError, KeyError):  # a user id that no account has
        return ""


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.Error, OSError):
        return []


def mask_command(words: list[str]) -> str:
    """Join a command line, masking what looks like a secret and cutting it short."""
    shown: list[str] = []
    is_secret_next = False
    for word in words:
        option, equals, _ = word.partition("=")
        is_secret = any(secret in option.lower() for secret in _SECRET_WORDS)
        if is_secret_next and not word.startswith("-"):
            shown.append("***")
            is_secret_next = False
            continue
        shown.append(f"{option}=***" if is_secret and equals else _mask_url(word))
        is_secret_next = is_secret and not equals and word.startswith("-")
    text = " ".join(" ".join(shown).split())
    return text if len(text) <= _COMMAND_LENGTH else f"{text[: _COMMAND_LENGTH - 1]}…"


def _mask_url(word: str) -> str:
    """Hide the password of `scheme://user:password@host`."""
    scheme, mark, rest = word.partition("://")
    account, at, host = rest.partition("@")
    user, colon, _ = account.partition(":")
    return f"{scheme}://{user}:***@{host}" if mark and at and colon and "/" not in account else word
