"""One job at work: its discoveries tell what there is, relabelling makes targets of it, each target has its loop.

Targets that stay keep their loop; one that goes ends its series, one that another process scrapes now does not. A job
that changed goes on with the series of the one before, and with the targets that a server told that one of, until it
answers again. Never judges pages: that is the loop's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdfast import journal
from holdfast.kernel.errors import InvalidError
from holdfast.resilience import Backoff, Pauses
from holdfast.telemetry.metrics.scrape.config import (
    DnsDiscovery,
    HttpDiscovery,
    KubernetesDiscovery,
    Namespaces,
    TargetGroup,
)
from holdfast.telemetry.metrics.scrape.loop import LoopTools, TargetLoop
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling
from holdfast.telemetry.metrics.scrape.targets import Target, make_target

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.scrape.config import Discovery, ScrapeJob
    from holdfast.telemetry.metrics.scrape.discovery import Discoverer, Failure, Found

    Made = Target | Labels | InvalidError

MOST_DROPPED: Final = 10_000  # dropped targets remembered, where the job names no number
SETTLE_S: Final = 1.0  # news within this time are one change
_BREATH: Final = 20  # targets that are made before others get their turn: a job may have thousands
_UNCLAIMED_INTERVALS: Final = 2.0  # until a target of the job before is gone, for discoveries need time (scrape.go)

_AFTER_CRASH: Final = Backoff(base_s=1.0, cap_s=60.0, jitter="equal")
_log = journal.get_logger()
Owns = Callable[[str], bool]
Known = Sequence[tuple["Discovery", Mapping[str, Sequence["Found"]]]]


def owns_all(_key: str) -> bool:
    """Tell that everything is this process' to do: it is alone."""
    return True


class JobPool:
    """The targets of one job."""

    def __init__(
        self,
        job: ScrapeJob,
        tools: LoopTools,
        discoverers: Sequence[Discoverer],
        owns: Owns = owns_all,
        failures: Iterable[Failure] = (),
    ) -> None:
        self.job = job
        self.relabelling = Relabelling(job.relabel_rules, is_legacy=job.reading.is_legacy)
        self.dropped: deque[Labels] = deque(maxlen=job.keeps_dropped or MOST_DROPPED)
        self.dropped_count = 0
        self.failures = failures
        self.loops: dict[tuple[object, ...], TargetLoop] = {}
        self._tools = tools
        self._discoverers = discoverers
        self._found: dict[str, Sequence[Found]] = {}
        self._made: dict[str, list[Made]] = {}  # what came of them, until the source tells something else
        self._breath = 0
        self._carried: set[str] = set()  # sources that were told to the job before, and to this one not yet
        self._inherited: dict[Labels, list[TargetLoop]] = {}
        self._news = asyncio.Event()
        self._tasks: dict[tuple[object, ...], asyncio.Task[None]] = {}
        self._runner: asyncio.Task[None] | None = None
        self._seed = job.name
        self._owns = owns

    def start(self) -> None:
        """Begin to look for targets and to scrape them."""
        self._runner = asyncio.create_task(self._run(), name=f"scrape:{self.job.name}")

    async def stop(self, *, ends_series: bool) -> list[TargetLoop]:
        """Stop every loop, and give those whose series may go on.

        `ends_series` where the job is gone, not where it changed, nor where the process only stops.
        """
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        left = [*self.loops.values(), *self._unclaimed()]
        await self._drop(list(self.loops), ends_series=False)
        self._tools.metrics.targets.remove(self.job.name)
        if ends_series:
            for loop in left:
                await loop.end()
        return [] if ends_series else left

    def known(self) -> Known:
        """Give what each discovery has told."""
        told: list[dict[str, Sequence[Found]]] = [{} for _ in self.job.discoveries]
        for key, found in self._found.items():
            number, _, source = key.partition("/")
            told[int(number)][source] = found
        return list(zip(self.job.discoveries, told, strict=True))

    def inherit(self, loops: Iterable[TargetLoop], known: Known = ()) -> None:
        """Go on with the series of the job before; those of targets that are not found any more end.

        What `known` says of servers that are asked for targets is believed until they answer: one that is down just now
        must not take the targets away.
        """
        for loop in loops:
            self._inherited.setdefault(loop.target.labels, []).append(loop)
        for number, section in enumerate(self.job.discoveries):
            told = next((told for other, told in known if other == section), {})
            if isinstance(section, DnsDiscovery | HttpDiscovery | KubernetesDiscovery):
                self._found |= {f"{number}/{source}": found for source, found in told.items()}
        self._carried = set(self._found)
        if self._carried:
            self._news.set()

    async def reconcile(self) -> None:
        """Make the loops those of what is found now."""
        await self._make()
        wanted = self._targets()
        await self._drop([key for key in self.loops if key not in wanted], ends_series=True)
        ours = {key: target for key, target in wanted.items() if self._owns(f"scrape\0{self.job.name}\0{key!r}")}
        await self._drop([key for key in self.loops if key not in ours], ends_series=False)  # another goes on with them
        limit = self.job.limits.targets
        refusal = (
            f"target_limit exceeded: {len(wanted)} targets, the limit is {limit}"
            if limit and len(wanted) > limit
            else ""
        )
        before = {key: self._claim(target) for key, target in wanted.items() if key not in self.loops}
        for key, target in ours.items():
            if key not in self.loops:
                loop = self.loops[key] = TargetLoop(target, self._tools)
                if (own := before.get(key)) is not None:
                    loop.go_on_from(own)
                self._tasks[key] = asyncio.create_task(self._scrape(loop), name=f"scrape:{target.url}")
            self.loops[key].refusal = refusal
        self._tools.metrics.targets.labels(self.job.name).set(len(self.loops))

    def share_anew(self) -> None:
        """Look again which targets are this process' to scrape."""
        self._news.set()

    def tell(self, source: str, found: Sequence[Found]) -> None:
        """Take the targets of one source of a discovery."""
        self._carried.discard(source)
        self._made.pop(source, None)
        if found:
            self._found[source] = found
        else:
            self._found.pop(source, None)
        self._news.set()

    def _claim(self, target: Target) -> TargetLoop | None:
        left = self._inherited.get(target.labels, [])
        found = next((loop for loop in left if loop.target.url == target.url), left[0] if left else None)
        if found is not None:
            left.remove(found)
        return found

    def _unclaimed(self) -> list[TargetLoop]:
        left = [loop for loops in self._inherited.values() for loop in loops]
        self._inherited.clear()
        return left

    async def _end_unclaimed(self) -> None:
        is_static = all(isinstance(each, TargetGroup) for each in self.job.discoveries)
        await self._tools.clock.sleep(SETTLE_S if is_static else _UNCLAIMED_INTERVALS * self.job.interval_s)
        for loop in self._unclaimed():
            await loop.end()

    async def _make(self) -> None:
        """Relabel what was told since the last time, and that alone."""
        faults: list[str] = []
        while fresh := [(source, found) for source, found in self._found.items() if source not in self._made]:
            for source, found in fresh:
                made = [made async for made in self._each(found)]
                if self._found.get(source) is found:
                    self._made[source] = made
                    faults += [str(one) for one in made if isinstance(one, InvalidError)]
        if faults:
            _log.warning("scrape.targets_refused", job=self.job.name, count=len(faults), faults=faults[:5])

    async def _each(self, found: Sequence[Found]) -> AsyncIterator[Made]:
        for one in found:
            try:
                yield make_target(self.job, self.relabelling, one)
            except InvalidError as error:
                yield error
            self._breath = (self._breath + 1) % _BREATH
            if not self._breath:
                await asyncio.sleep(0)

    def _targets(self) -> dict[tuple[object, ...], Target]:
        wanted: dict[tuple[object, ...], Target] = {}
        self.dropped.clear()
        self.dropped_count = 0
        for made in (one for source in self._found for one in self._made[source]):
            if isinstance(made, Target):
                wanted.setdefault(made.key, made)
            elif not isinstance(made, InvalidError):
                self.dropped_count += 1
                self.dropped.append(made)
        return wanted

    async def _run(self) -> None:
        watching = [asyncio.create_task(self._discover(number, each)) for number, each in enumerate(self._discoverers)]
        if self._inherited:
            watching.append(asyncio.create_task(self._end_unclaimed()))
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self.reconcile()
                await self._tools.clock.sleep(SETTLE_S)
        finally:
            await _cancel(watching)

    async def _discover(self, number: int, discoverer: Discoverer) -> None:
        pauses = Pauses(_AFTER_CRASH)
        while True:
            try:
                await discoverer.run(lambda source, found: self._hear(number, source, found))
            except Exception as error:  # noqa: BLE001 -- the fence of a job: one discovery must not stop the others
                _log.error("scrape.discovery_crashed", job=self.job.name, error=repr(error))
                await self._tools.clock.sleep(pauses.next_s())
            else:
                return

    def _hear(self, number: int, source: str, found: Sequence[Found]) -> None:
        """Take what a discovery tells; a list comes in one breath, and what is not on it any more is gone.

        A cluster whose namespaces are named has a list for each of them.
        """
        self.tell(f"{number}/{source}", found)
        section = self.job.discoveries[number]
        if self._carried and isinstance(section, HttpDiscovery | KubernetesDiscovery):
            is_parted = isinstance(section, KubernetesDiscovery) and section.namespaces != Namespaces()
            begin = "/".join([*source.split("/")[:2], ""]) if is_parted else ""
            asyncio.get_running_loop().call_soon(self._let_go, f"{number}/{begin}")

    def _let_go(self, begin: str) -> None:
        for key in [key for key in self._carried if key.startswith(begin)]:
            self.tell(key, ())

    async def _scrape(self, loop: TargetLoop) -> None:
        pauses = Pauses(_AFTER_CRASH)
        while True:
            try:
                await loop.run(self._seed)
            except Exception as error:  # noqa: BLE001 -- the fence of a job: one target must not stop the others
                _log.error("scrape.loop_crashed", url=loop.target.url, error=repr(error))
                loop.state = replace(loop.state, health="down", last_error=f"the scrape broke off: {error!r}")
                await self._tools.clock.sleep(pauses.next_s())

    async def _drop(self, keys: list[tuple[object, ...]], *, ends_series: bool) -> None:
        await _cancel([self._tasks.pop(key) for key in keys])
        for loop in [self.loops.pop(key) for key in keys]:
            if ends_series:
                await loop.end()


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
