"""Finds the place for a step's work: the one that it names, or the one that suits it."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Literal

from prometheus_client import CollectorRegistry

from holdfast.kernel.decoding import suggest
from holdfast.kernel.runs.places.containers import DOCKER_SOCKET, Container, ContainerPlace
from holdfast.kernel.runs.places.errors import StepPlaceError
from holdfast.kernel.runs.places.kubernetes import KubernetesJob, KubernetesPlace
from holdfast.kernel.runs.places.ports import Command, Place, Work
from holdfast.kernel.runs.places.processes import MOST_PROCESSES, Process, ProcessPlace
from holdfast.kernel.runs.places.tasks import TaskPlace
from holdfast.kernel.runs.places.threads import MOST_THREADS, ThreadPlace

PlaceName = Literal["task", "thread", "process"]
PlaceChoice = PlaceName | Process | Container | KubernetesJob | Place | None


class Places:
    """The places of one process."""

    def __init__(
        self,
        *,
        threads: int = MOST_THREADS,
        processes: int = MOST_PROCESSES,
        container_socket: str = DOCKER_SOCKET,
        kubernetes: KubernetesPlace | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._task, self._thread = TaskPlace(), ThreadPlace(most=threads, registry=registry)
        self._process = ProcessPlace(most=processes, registry=registry)
        self._by_name: dict[str, Place] = {"task": self._task, "thread": self._thread, "process": self._process}
        self._by_options: dict[type, Any] = {
            Process: self._process,
            Container: ContainerPlace(container_socket),
            KubernetesJob: kubernetes or KubernetesPlace(),
        }

    async def run(self, work: Work, choice: PlaceChoice = None) -> Any:
        """Do the work where `choice` says; None suits: async stays, others go to a thread, commands to a process.

        Raises:
            StepPlaceError: there is no such place.
        """
        if type(choice) in self._by_options:
            return await self._by_options[type(choice)].run(work, choice)
        place: Any = choice
        if choice is None:
            place = self._suited(work)
        elif isinstance(choice, str):
            place = self._by_name.get(choice)
        if isinstance(place, type) or not callable(getattr(place, "run", None)):
            raise StepPlaceError(
                f"step {work.name}: {choice!r} is no place for it",
                hint=suggest(str(choice), self._by_name) or "task, thread, process, Container(...), KubernetesJob(...)",
            )
        return await place.run(work)

    async def close(self) -> None:
        """Let idle threads end."""
        for place in (*self._by_name.values(), *self._by_options.values()):
            await place.close()

    def _suited(self, work: Work) -> Place:
        if isinstance(work.todo, Command):
            return self._process
        return self._task if is_async(work.todo) else self._thread


def is_async(function: Any) -> bool:
    """Tell whether calling `function` gives something to await."""
    inner = function.func if isinstance(function, functools.partial) else function
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(getattr(inner, "__call__", None))  # noqa: B004 - not a test
