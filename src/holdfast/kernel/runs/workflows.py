"""What a workflow is: a typed function under a name and a version. Nothing is registered by defining one."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, overload

from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import ConflictError, InvalidError, NotFoundError
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.contexts import Run
from holdfast.kernel.runs.fingerprints import fingerprint
from holdfast.kernel.runs.model import NO_RETRY, StepRetry
from holdfast.kernel.runs.sync_contexts import SyncRun
from holdfast.kernel.units import parse_duration

I_contra = TypeVar("I_contra", contravariant=True)
I = TypeVar("I")  # noqa: E741 - the input
O = TypeVar("O")  # noqa: E741 - the output
Telling = Literal["faults", "all"]


@dataclass(frozen=True, eq=False, slots=True)
class Workflow(Generic[I, O]):
    """A workflow: what `Runs.register` takes and `Runs.start` starts.

    Attributes:
        takes_input: whether the function has a parameter after the context.
        timeout_s: a run fails when it has not ended so long after its start.
        retry: what its steps do when they say nothing else.
        events: `faults` writes events for what people care about, `all` for starts and successes too.
    """

    name: str
    version: int
    fn: Callable[..., Any]
    queue: str
    timeout_s: float | None
    retry: StepRetry
    events: Telling
    input_type: Any
    output_type: Any
    takes_input: bool
    is_async: bool
    fingerprint: str

    @property
    def summary(self) -> str:
        """Give the first line of the function's docstring."""
        return (inspect.getdoc(self.fn) or "").partition("\n")[0]


class _Decorator(Protocol):
    @overload
    def __call__(self, fn: Callable[[Run, I], Awaitable[O]], /) -> Workflow[I, O]: ...
    @overload
    def __call__(self, fn: Callable[[SyncRun, I], O], /) -> Workflow[I, O]: ...
    @overload
    def __call__(self, fn: Callable[[Run], Awaitable[O]], /) -> Workflow[None, O]: ...
    @overload
    def __call__(self, fn: Callable[[SyncRun], O], /) -> Workflow[None, O]: ...


def workflow(
    name: str,
    *,
    version: int = 1,
    queue: str = "default",
    timeout: str | float | None = None,
    retry: StepRetry | None = None,
    events: Telling = "faults",
) -> _Decorator:
    """Make a workflow of an async function of a `Run`, or a sync one of a `SyncRun`, and at most one input.

    Args:
        name: stable for ever; runs are found by it.
        version: raise it whenever the order or the meaning of the steps changes.
        queue: where its runs wait, unless their start says otherwise.
        timeout: such as `1h`, or seconds.
        retry: for steps that say nothing else; None means one attempt.
        events: which of its states are written into the event log.

    Raises:
        InvalidError: the function cannot be a workflow; the message says why.
    """
    timeout_s = as_seconds(timeout)

    def decorate(fn: Callable[..., Any]) -> Workflow[Any, Any]:
        parameters = [p for p in inspect.signature(fn).parameters.values() if p.default is p.empty]
        if not 1 <= len(parameters) <= 2 or inspect.isasyncgenfunction(fn) or inspect.isgeneratorfunction(fn):
            raise InvalidError(
                f"workflow {name!r}: {fn.__qualname__} cannot be one",
                hint="write `async def name(ctx: Run, order: Order) -> Result`, with one input or none",
            )
        hints = _hints(fn, name)
        takes_input = len(parameters) == 2
        return Workflow(
            name=name,
            version=version,
            fn=fn,
            queue=queue,
            timeout_s=timeout_s,
            retry=retry or NO_RETRY,
            events=events,
            input_type=payloads.as_type(hints.get(parameters[1].name, Any)) if takes_input else Any,
            output_type=payloads.as_type(hints.get("return", Any)),
            takes_input=takes_input,
            is_async=inspect.iscoroutinefunction(fn),
            fingerprint=fingerprint(fn),
        )

    return cast("_Decorator", decorate)


def as_seconds(duration: str | float | None) -> float | None:
    """Give the seconds of a duration: text such as `30s`, a number of seconds, or None."""
    return parse_duration(duration) if isinstance(duration, str) else duration


def _hints(fn: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(fn)
    except NameError as error:
        raise InvalidError(
            f"workflow {name!r}: a type in the signature of {fn.__qualname__} is not known: {error}",
            hint="import it where the module can see it, not below TYPE_CHECKING",
        ) from error


class Registry:
    """The workflows that this process can run: by name the newest version, and every version by its number."""

    def __init__(self) -> None:
        self._newest: dict[str, Workflow[Any, Any]] = {}
        self._versions: dict[tuple[str, int], Workflow[Any, Any]] = {}

    def add(self, workflow: Workflow[Any, Any]) -> None:
        """Take a workflow.

        Raises:
            ConflictError: another one has this name and version.
        """
        spot = (workflow.name, workflow.version)
        there = self._versions.get(spot)
        if there is not None and there.fn is not workflow.fn:
            raise ConflictError(
                f"workflow {workflow.name!r} version {workflow.version} is registered twice",
                hint="raise the version of the changed one, or rename one of them",
            )
        self._versions[spot] = workflow
        newest = self._newest.get(workflow.name)
        if newest is None or newest.version <= workflow.version:
            self._newest[workflow.name] = workflow

    def replace(self, gone: Iterable[Workflow[Any, Any]], come: Iterable[Workflow[Any, Any]]) -> None:
        """Take workflows instead of others; runs that are in memory keep the code that they have.

        Raises:
            ConflictError: two different ones have the same name and version; nothing was changed.
        """
        leaving = {id(workflow) for workflow in gone}
        wanted = [*(workflow for workflow in self.all() if id(workflow) not in leaving), *come]
        trial = Registry()
        for each in wanted:
            trial.add(each)
        self._newest.clear()
        self._versions.clear()
        for each in wanted:
            self.add(each)

    def newest(self, name: str) -> Workflow[Any, Any]:
        """Give the newest version.

        Raises:
            NotFoundError: there is none.
        """
        found = self._newest.get(name)
        if found is None:
            raise NotFoundError(f"there is no workflow {name!r}", hint=suggest(name, self._newest))
        return found

    def find(self, name: str, version: int) -> Workflow[Any, Any] | None:
        """Give that very version, if it is registered."""
        return self._versions.get((name, version))

    def names(self) -> list[str]:
        """Give the names, sorted."""
        return sorted(self._newest)

    def all(self) -> list[Workflow[Any, Any]]:
        """Give every version, by name and number."""
        return [self._versions[spot] for spot in sorted(self._versions)]
