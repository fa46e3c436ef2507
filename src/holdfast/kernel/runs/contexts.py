"""What an async workflow gets: `ctx`, through which everything that must not happen twice is done."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar, Unpack

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.runs import children, dry_runs, fan_out, payloads, waits
from holdfast.kernel.runs.execution import Execution
from holdfast.kernel.runs.model import OnCancel, OnError, RunId, StepKind, StepRetry
from holdfast.kernel.runs.places import Command, CommandResult, PlaceChoice, Work
from holdfast.kernel.runs.records import NewRun
from holdfast.kernel.runs.steps import Spec, StepContext, run_step
from holdfast.kernel.units import format_duration, parse_duration

if TYPE_CHECKING:
    from holdfast.kernel.runs.workflows import Workflow

T = TypeVar("T")
Duration = str | float
Todo = Callable[..., Any] | Command
_OURS: Final = ("step", "ctx", "result")


class StepOptions(TypedDict, total=False):
    """How a step is done, beyond its function and its arguments.

    Attributes:
        retry: when a failure is tried again; by default what the workflow says.
        timeout: of one attempt, such as `30s`, or seconds.
        compensate: called with the step's arguments when the run does not succeed though this step did, or may have
            done so; a parameter `result` gets what the step gave, None when that is not known.
        dry_run: called instead of the function in a dry run; gives the plan.
        read_only: the step changes nothing, so a dry run does it for real.
        place: where the function runs: `task`, `thread`, `process`, a `Container`, a `KubernetesJob` or a place of your
            own; by default async functions stay in the event loop, others go to a thread, commands to a process.
    """

    retry: StepRetry | None
    timeout: Duration | None
    compensate: Callable[..., Any] | None
    dry_run: Callable[..., Any] | None
    read_only: bool
    place: PlaceChoice


class Run:
    """The context of one run, or of one branch of it: operations are told apart by their name within it."""

    __slots__ = ("_queries", "_retry", "_run", "_scope", "_workflow")

    def __init__(self, run: Execution, workflow: Workflow[Any, Any], scope: str = "") -> None:
        self._run = run
        self._workflow = workflow
        self._scope = scope

    @property
    def run_id(self) -> RunId:
        """Give the id of the run."""
        return self._run.facts.id

    @property
    def workflow(self) -> str:
        """Give the name of its workflow."""
        return self._workflow.name

    @property
    def attempt(self) -> int:
        """Give the attempt group: 1, and one more after each replay."""
        return self._run.facts.attempt_group

    @property
    def actor(self) -> str:
        """Give who started the run: `system`, `user/<id>` or `token/<id>`."""
        return self._run.facts.actor

    @property
    def is_dry_run(self) -> bool:
        """Tell whether steps only plan."""
        return self._run.facts.is_dry_run

    def now(self) -> datetime:
        """Give the present; it differs after a crash, so decide by it only inside a step."""
        return self._run.services.clock.now()

    def log(self, text: str, /, **fields: Any) -> None:
        """Write a line into the run's log; code that is only entered again says nothing twice."""
        if not self._run.is_replaying:
            self._run.write_line(self._scope, "log", text, fields)

    def branch(self, name: str) -> Run:
        """Give a context whose step names are its own, for code that runs beside other code."""
        return Run(self._run, self._workflow, self._run.claim_key(self._scope, name))

    def query(self, name: str, answer: Callable[[], Any]) -> None:
        """Have `answer` called when somebody asks the run for `name`; it must be quick and change nothing."""
        self._run.queries[name] = answer

    def step(
        self,
        name: str,
        fn: Todo,
        *args: Any,
        **options: Unpack[StepOptions],
    ) -> Awaitable[Any]:
        """Do `fn(*args)` once and for all: after a crash its recorded result is given.

        Args:
            name: among the operations of the workflow; used again, it counts up (`charge#2`).
            fn: async, or sync and then run in a thread. If it takes a parameter `step`, it gets a `StepContext`; if it
                takes `ctx`, a `Run` whose steps are nested in this one.
            args: what it gets.
            options: retries, timeout, compensation, plan and place, see `StepOptions`.

        Raises:
            StepFailedError: it has failed for good.
        """
        key = self._run.claim_key(self._scope, name)
        return self._do(name, key, fn, args, options, scope=self._scope)

    async def gather(self, *works: Awaitable[Any]) -> list[Any]:
        """Do all side by side; when one fails the others are cancelled and awaited, then its error is raised."""
        return await fan_out.gather(works)

    async def map(
        self,
        name: str,
        fn: Todo,
        items: Iterable[Any],
        *,
        concurrency: int = 50,
        on_error: OnError = "raise",
        **options: Unpack[StepOptions],
    ) -> list[Any]:
        """Do `fn(item)` for each item, each a step `name[index]`; thousands are fine.

        Args:
            name: of the fan-out.
            fn: as for `step`.
            items: in an order that is the same after a crash.
            concurrency: how many at once.
            on_error: `raise` stops at the first failed item, `collect` gives its error in its place.
            options: of each item's step, see `StepOptions`.
        """
        key = self._run.claim_key(self._scope, name)
        run, scope = self._run, key

        def do_one(index: int, item: Any) -> Awaitable[Any]:
            return self._do(f"{name}[{index}]", f"{key}[{index}]", fn, (item,), options, scope=scope)

        return await fan_out.run_map(
            run, self._scope, key, name, list(items), do_one, concurrency=concurrency, on_error=on_error
        )

    def sleep(self, name: str, duration: Duration) -> Awaitable[None]:
        """Wait for `duration`, whatever happens to the process meanwhile."""
        return self._sleep(name, _seconds(duration), f"would sleep for {_show(duration)}")

    def sleep_until(self, name: str, moment: datetime) -> Awaitable[None]:
        """Wait until `moment`."""
        if moment.tzinfo is None:
            raise InvalidError(f"{moment.isoformat()} has no time zone")
        return self._sleep(name, moment, f"would sleep until {moment.isoformat()}")

    def signal(
        self,
        name: str,
        *,
        type: Any = Any,  # noqa: A002 - reads best
        timeout: Duration | None = None,
        dry_run: Any = None,
    ) -> Awaitable[Any]:
        """Wait for the signal `name`, and give its payload as a `type`.

        Args:
            name: of the signal.
            type: of its payload.
            timeout: how long to wait.
            dry_run: what a dry run, which does not wait, goes on with.

        Raises:
            SignalTimedOutError: nobody sent it in time.
        """
        key = self._run.claim_key(self._scope, name)
        if self._run.facts.is_dry_run:
            note = f"would wait for the signal {name!r}" + (f" for {_show(timeout)}" if timeout is not None else "")
            return dry_runs.pass_wait(
                self._run, self._scope, name, StepKind.SIGNAL, key=key, note=note, assumed=dry_run
            )
        timeout_s = None if timeout is None else _seconds(timeout)
        return waits.wait_for_signal(self._run, self._scope, name, key, payloads.as_type(type), timeout_s)

    def child(
        self,
        name: str,
        workflow: Workflow[Any, T] | str,
        input: Any = None,  # noqa: A002 - the word of the field
        *,
        on_cancel: OnCancel = "cancel",
        key: str | None = None,
        queue: str | None = None,
    ) -> Awaitable[T]:
        """Start another workflow and wait for its result.

        Args:
            name: among the operations of this workflow.
            workflow: the other one.
            input: its input.
            on_cancel: what becomes of it when this run is cancelled.
            key: attaches to the run that was started with this key.
            queue: None means the workflow's own.

        Raises:
            ChildFailedError: it did not succeed.
        """
        step_key = self._run.claim_key(self._scope, name)
        new, found = self._run.services.plan_child(self._run, workflow, input, on_cancel, key, queue)
        new.parent_key = step_key
        if self._run.facts.is_dry_run:
            return self._plan_child(name, step_key, new, found)
        return children.run_child(self._run, self._scope, name, step_key, new, found)

    async def _plan_child(self, name: str, key: str, new: NewRun, found: Workflow[Any, Any]) -> Any:
        told = await children.run_child(
            self._run, self._scope, name, key, new, dataclasses.replace(found, output_type=Any)
        )
        return dry_runs.take_child(key, told, found.output_type)

    def _sleep(self, name: str, until: datetime | float, note: str) -> Awaitable[Any]:
        key = self._run.claim_key(self._scope, name)
        if self._run.facts.is_dry_run:
            return dry_runs.pass_wait(self._run, self._scope, name, StepKind.SLEEP, key=key, note=note)
        return waits.sleep(self._run, self._scope, name, key, until)

    def _do(
        self, name: str, key: str, fn: Todo, args: tuple[Any, ...], options: StepOptions, *, scope: str
    ) -> Awaitable[Any]:
        spec = self._spec(key, fn, args, options)
        if not self._run.facts.is_dry_run:
            return run_step(self._run, scope, name, key, spec)
        plan = options.get("dry_run")
        call = None if plan is None else functools.partial(self._call, key, plan, args, None, spec.timeout_s)
        is_read_only = options.get("read_only", False)
        return dry_runs.plan_step(self._run, scope, name, spec, key=key, plan=call, is_read_only=is_read_only)

    def _spec(self, key: str, fn: Todo, args: tuple[Any, ...], options: StepOptions) -> Spec:
        compensate, timeout = options.get("compensate"), options.get("timeout")
        timeout_s = None if timeout is None else _seconds(timeout)
        undo = None if compensate is None else functools.partial(self._undo, compensate, args)
        place = options.get("place")
        is_in_thread = place == "thread" or (
            place is None and not isinstance(fn, Command) and not _find_extras(fn, ())[0]
        )
        return Spec(
            functools.partial(self._call, key, fn, args, place, timeout_s),
            CommandResult if isinstance(fn, Command) else payloads.result_type(fn),
            options.get("retry") or self._workflow.retry,
            timeout_s,
            undo,
            StepKind.STEP,
            undo is not None or is_in_thread,
        )

    async def _call(
        self, key: str, fn: Todo, args: tuple[Any, ...], place: PlaceChoice, timeout_s: float | None, step: StepContext
    ) -> Any:
        is_async, extras = (False, []) if isinstance(fn, Command) else _find_extras(fn, args)
        named: dict[str, Any] = {}
        if "step" in extras:
            named["step"] = step
        if "ctx" in extras:
            self._run.forget_names(key)
            named["ctx"] = Run(self._run, self._workflow, key)
        if is_async and place is None and not isinstance(fn, Command):
            return await fn(*args, **named)
        work = Work(
            key, fn, args, named, step.idempotency_key, step.attempt, step.run_id, timeout_s, step.write,
            self._run.has_left, step.later,
        )  # fmt: skip
        self._run.open_output()  # from here on lines may come from other threads
        return await self._run.services.places.run(work, place)

    async def _undo(self, fn: Callable[..., Any], args: tuple[Any, ...], step: StepContext, result: Any) -> Any:
        is_async, extras = _find_extras(fn, args)
        given = {"step": step, "result": result}
        named = {name: given[name] for name in extras if name in given}
        if is_async:
            return await fn(*args, **named)
        self._run.open_output()
        return await self._run.services.in_thread(functools.partial(fn, *args, **named))


def _find_extras(fn: Callable[..., Any], args: tuple[Any, ...]) -> tuple[bool, list[str]]:
    """Tell whether `fn` is async, and which of our parameters it takes that `args` do not fill."""
    try:
        is_async, places = _inspect_call(fn)
    except TypeError:  # it cannot be hashed
        is_async, places = _look_at(fn)
    for name, place in places:
        if place < len(args):
            _refuse_shifted(fn, args, name)
    return is_async, [name for name, place in places if place >= len(args)]


def _refuse_shifted(fn: Callable[..., Any], args: tuple[Any, ...], name: str) -> None:
    """Raise InvalidError when an argument has landed in `name`, which is ours to fill, and another is missing so."""
    try:
        inspect.signature(fn).bind(*args)
    except TypeError as error:
        raise InvalidError(
            f"{getattr(fn, '__qualname__', fn)}: an argument of the step lands in the parameter {name!r},"
            f" which the engine fills, and so there is {error}",
            hint=f"make it keyword-only, behind a star: `def {getattr(fn, '__name__', 'step')}(..., *, {name})`",
        ) from None


@functools.lru_cache(maxsize=4096)
def _inspect_call(fn: Callable[..., Any]) -> tuple[bool, tuple[tuple[str, int], ...]]:
    return _look_at(fn)


def _look_at(fn: Callable[..., Any]) -> tuple[bool, tuple[tuple[str, int], ...]]:
    inner = fn.func if isinstance(fn, functools.partial) else fn
    is_async = inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(getattr(inner, "__call__", None))  # noqa: B004 - not a test
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return is_async, ()
    places = [
        (parameter.name, 1000 if parameter.kind is parameter.KEYWORD_ONLY else place)
        for place, parameter in enumerate(parameters)
        if parameter.name in _OURS and parameter.kind is not parameter.POSITIONAL_ONLY
    ]
    return is_async, tuple(places)


def _seconds(duration: Duration) -> float:
    return parse_duration(duration) if isinstance(duration, str) else float(duration)


def _show(duration: Duration) -> str:
    return duration if isinstance(duration, str) else format_duration(duration)
