"""What can be started in this process: workflows, queues and schedules of the house, of plugins and of the ops folder.

Those of the ops folder are put in force as a whole; runs whose code has changed with them are the engine's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import ConfigError, HoldfastError, InvalidError, Place
from holdfast.kernel.runs.engine import Runs
from holdfast.kernel.runs.loading import PATTERN, Loaded, Offer, find_doubles, load_folder, load_installed, unite
from holdfast.kernel.runs.queues import DEFAULT_QUEUE, Queue, QueueBoard
from holdfast.kernel.runs.scheduled_starts import judge
from holdfast.kernel.runs.schedules import Schedule, load_schedules
from holdfast.kernel.runs.workflows import Registry, Workflow
from holdfast.kernel.wiring import OpsFolder, Prepared

HOUSE: Final = "holdfast"
SCHEDULES: Final = "schedules"
SCHEDULE_PATTERNS: Final = ("schedules/**/*.yaml", "schedules/**/*.yml")

MakeBoard: TypeAlias = Callable[[Iterable[Queue]], QueueBoard]


@dataclass(frozen=True, slots=True)
class PreparedOffer:
    """What the ops folder offers, imported and found valid, not yet in force."""

    offering: Offering
    loaded: Loaded
    schedules: tuple[Schedule, ...]
    warnings: tuple[str, ...] = ()

    async def apply(self) -> None:
        """Put it in force."""
        await self.offering.replace(self.loaded, self.schedules)


class Offering:
    """All that this process offers, and where it came from.

    Args:
        runs: the engine that is to do it.
        make_board: gives a board of queues to try schedules on, before they are in force.
    """

    def __init__(self, runs: Runs, make_board: MakeBoard) -> None:
        self._runs = runs
        self._make_board = make_board
        self._installed, self.faults = load_installed()
        self._loaded = Loaded()
        for workflow, _ in self._installed.workflows:
            runs.registry.add(workflow)
        for queue, _ in self._installed.queues:
            runs.queues.add(queue)
        for schedule, _ in self._installed.schedules:
            runs.schedules.add(schedule)

    @property
    def workflows(self) -> tuple[tuple[Workflow[Any, Any], str], ...]:
        """Give every workflow that can be started, with the place that it came from."""
        return unite((self._lasting(), self._loaded.offer)).workflows

    def prepare(self, folder: OpsFolder, _before: dict[str, Prepared]) -> PreparedOffer:
        """Import `workflows/*.py` and read `schedules/*.yaml`; nothing is in force before `apply`.

        Raises:
            ConfigError: with every fault of every file.
        """
        loaded = load_folder(folder.path, folder.files(PATTERN), self._loaded)
        offer = unite((self._lasting(), loaded.offer))
        if doubles := tuple(find_doubles(offer)):
            raise ConfigError(doubles)
        fits = self._judge_by(offer)
        problems = [*_find_homeless(loaded.offer, offer), *_find_misfits(loaded.offer, fits)]
        listed: tuple[Schedule, ...] = ()
        try:
            listed = load_schedules(folder.files(*SCHEDULE_PATTERNS), fits, root=folder.path)
        except ConfigError as error:
            problems += error.problems
        in_files = Offer(schedules=tuple((it, SCHEDULES) for it in listed))
        problems += find_doubles(Offer(schedules=unite((offer, in_files)).schedules))
        if problems:
            raise ConfigError(tuple(problems))
        schedules = (*(it for it, _ in loaded.offer.schedules), *listed)
        return PreparedOffer(self, loaded, schedules, self.faults)

    async def replace(self, loaded: Loaded, schedules: tuple[Schedule, ...]) -> None:
        """Offer this of the ops folder from now on, instead of what it held before."""
        before, self._loaded = self._loaded.offer, loaded
        if before is not loaded.offer:
            self._runs.registry.replace([it for it, _ in before.workflows], [it for it, _ in loaded.offer.workflows])
            self._runs.queues.replace([it for it, _ in before.queues], [it for it, _ in loaded.offer.queues])
        await self._runs.schedules.replace_ops(schedules)

    def _lasting(self) -> Offer:
        """Give what does not come from the ops folder: plugins' parts, and workflows that rooms have registered."""
        known = {id(it) for it, _ in (*self._installed.workflows, *self._loaded.offer.workflows)}
        ours = tuple((it, HOUSE) for it in self._runs.registry.all() if id(it) not in known)
        return unite((self._installed, Offer(workflows=ours)))

    def _judge_by(self, offer: Offer) -> Callable[[Schedule], None]:
        """Give what raises the fault of a schedule, were `offer` in force."""
        registry = Registry()
        for workflow, _ in offer.workflows:
            registry.add(workflow)
        board = self._make_board([it for it, _ in offer.queues])
        limit = self._runs.settings.payload_limit
        return partial(judge, registry=registry, queues=board, payload_limit=limit)


def _find_homeless(loaded: Offer, offer: Offer) -> Iterator[InvalidError]:
    """Give a fault for every workflow of the ops folder whose queue nobody declares."""
    known = {DEFAULT_QUEUE, *(it.name for it, _ in offer.queues)}
    for workflow, place in loaded.workflows:
        if workflow.queue not in known:
            message = f"workflow {workflow.name!r} names the queue {workflow.queue!r}, which is not declared"
            hint = suggest(workflow.queue, known) or f"add Queue({workflow.queue!r})"
            yield InvalidError(message, hint=hint, place=Place(place))


def _find_misfits(loaded: Offer, fits: Callable[[Schedule], None]) -> Iterator[InvalidError]:
    """Give a fault for every schedule in a Python file that its workflow does not fit."""
    for schedule, place in loaded.schedules:
        try:
            fits(schedule)
        except HoldfastError as error:
            yield InvalidError(f"schedule {schedule.name!r}: {error.message}", hint=error.hint, place=Place(place))
