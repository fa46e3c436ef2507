"""Answers something useful when the real answer is not to be had, and says that it did.

In this order: the last good answer if it is young enough, a function, a value. `degradation` tells callers why.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.degradation import Degraded, DegradedTo, report
from holdfast.resilience.errors import FeatureOff, ResilienceError
from holdfast.resilience.features import Feature
from holdfast.resilience.policies import Policy, is_async

P = ParamSpec("P")
T = TypeVar("T")

UNAVAILABLE: Final = (ConnectionError, TimeoutError, ResilienceError)


class NoValue:
    """Stands for "none was given", because None may be a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Read as what it is."""
        return "<no value>"


NO_VALUE: Final = NoValue()


class LastGood:
    """The last good answer to each question, as many as fit; the one used longest ago goes first."""

    __slots__ = ("_answers", "_lock", "_make_key", "max_keys")

    def __init__(self, make_key: Callable[..., Hashable] | None, max_keys: int) -> None:
        self.max_keys = max_keys
        self._make_key = make_key or _key_of_arguments
        self._answers: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Tell how many are kept."""
        return len(self._answers)

    def keep(self, args: Any, kwargs: Any, answer: object, now_s: float) -> None:
        """Remember."""
        key = self._make_key(*args, **kwargs)
        try:
            hash(key)
        except TypeError as error:
            raise TypeError(f"{error}: to keep answers for it, tell what makes two calls the same with key=") from None
        with self._lock:
            self._answers[key] = (now_s, answer)
            self._answers.move_to_end(key)
            if len(self._answers) > self.max_keys:
                self._answers.popitem(last=False)

    def find(self, args: Any, kwargs: Any) -> tuple[float, Any] | None:
        """Give when it was remembered and what."""
        return self._answers.get(self._make_key(*args, **kwargs))


@dataclass(frozen=True, slots=True)
class Instead:
    """What a fallback was told to answer; see `fallback` for the words."""

    value: Any
    function: Callable[..., Any] | None
    stale_s: float
    feature: Feature | None


class Fallback(Policy):
    """Answers otherwise when a call fails, or when its feature is off; see `fallback`."""

    __slots__ = ("_instead", "_last_good", "_on")

    kind = "fallback"

    def __init__(
        self, name: str, instead: Instead, last_good: LastGood, on: tuple[type[Exception], ...], clock: Clock
    ) -> None:
        if instead.value is NO_VALUE and instead.function is None and not instead.stale_s:
            raise ValueError("a fallback needs something to fall back to: value=, function= or stale_s=")
        if instead.stale_s < 0 or last_good.max_keys < 1:
            raise ValueError(
                f"stale_s={instead.stale_s} and max_keys={last_good.max_keys} must not be negative or zero"
            )
        super().__init__(name, clock=clock)
        self._instead = instead
        self._last_good = last_good
        self._on = on

    def __repr__(self) -> str:
        """Show what it falls back to."""
        instead = self._instead
        ways = {"stale_s": instead.stale_s or None, "function": instead.function and instead.function.__qualname__}
        if instead.value is not NO_VALUE:
            ways["value"] = repr(instead.value)
        return f"Fallback({', '.join(f'{name}={way}' for name, way in ways.items() if way)})"

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Call `fn`; answer otherwise when it fails with an error of `on`."""
        on = self._on

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return await fn(*args, **kwargs)
            except on as error:
                return await self._answer_async(error, args, kwargs)  # type: ignore[no-any-return]  # what was told

        async def guarded_fully(*args: P.args, **kwargs: P.kwargs) -> T:
            if self._is_off:
                return await self._answer_async(None, args, kwargs)  # type: ignore[no-any-return]  # what was told
            try:
                answer = await fn(*args, **kwargs)
            except on as error:
                return await self._answer_async(error, args, kwargs)  # type: ignore[no-any-return]  # what was told
            self._keep(args, kwargs, answer)
            return answer

        return guarded_fully if self._needs_more else guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Call `fn`; answer otherwise when it fails with an error of `on`.

        Raises:
            TypeError: The function to fall back to is async.
        """
        on, function = self._on, self._instead.function
        if function is not None and is_async(function):
            raise TypeError(f"{function!r} is async: plain code cannot fall back to it")

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return fn(*args, **kwargs)
            except on as error:
                return self._answer(error, args, kwargs)  # type: ignore[no-any-return]  # what was told

        def guarded_fully(*args: P.args, **kwargs: P.kwargs) -> T:
            if self._is_off:
                return self._answer(None, args, kwargs)  # type: ignore[no-any-return]  # what was told
            try:
                answer = fn(*args, **kwargs)
            except on as error:
                return self._answer(error, args, kwargs)  # type: ignore[no-any-return]  # what was told
            self._keep(args, kwargs, answer)
            return answer

        return guarded_fully if self._needs_more else guarded

    @property
    def _needs_more(self) -> bool:
        return bool(self._instead.stale_s) or self._instead.feature is not None

    @property
    def _is_off(self) -> bool:
        feature = self._instead.feature
        return feature is not None and feature.reason is not None

    def _keep(self, args: Any, kwargs: Any, answer: object) -> None:
        if self._instead.stale_s:
            self._last_good.keep(args, kwargs, answer, self._clock.monotonic())

    async def _answer_async(self, error: Exception | None, args: Any, kwargs: Any) -> Any:
        answer = self._answer(error, args, kwargs)
        return await answer if inspect.iscoroutine(answer) else answer

    def _answer(self, error: Exception | None, args: Any, kwargs: Any) -> Any:
        instead = self._instead
        kept = self._last_good.find(args, kwargs) if instead.stale_s else None
        age_s = None if kept is None else self._clock.monotonic() - kept[0]
        if kept is not None and age_s is not None and age_s <= instead.stale_s:
            self._report(DegradedTo.STALE, error, age_s)
            return kept[1]
        if instead.function is not None:
            self._report(DegradedTo.FUNCTION, error, None)
            return instead.function(*args, **kwargs)
        if instead.value is not NO_VALUE:
            self._report(DegradedTo.VALUE, error, None)
            return instead.value
        if error is not None:
            raise error
        raise FeatureOff(self._reason(None), policy=self.name)

    def _reason(self, error: Exception | None) -> str:
        feature = self._instead.feature
        if error is None and feature is not None:
            return f"{feature.name} is switched off: {feature.reason}"
        return f"{type(error).__name__}: {error}"

    def _report(self, to: DegradedTo, error: Exception | None, age_s: float | None) -> None:
        reason = self._reason(error)
        report(Degraded(self.name, to, reason, error, age_s))
        age = {} if age_s is None else {"age_s": age_s}
        self._tell("degraded", error, to=to.value, reason=reason, **age)


def fallback(  # noqa: PLR0913 -- keywords with defaults; most callers give one or two
    *,
    value: Any = NO_VALUE,
    function: Callable[..., Any] | None = None,
    stale_s: float = 0.0,
    key: Callable[..., Hashable] | None = None,
    max_keys: int = 1000,
    feature: Feature | None = None,
    on: tuple[type[Exception], ...] = UNAVAILABLE,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> Fallback:
    """Answer something when the call cannot: an old answer, another function's, a value; tried in this order.

    Args:
        value: What to answer at last.
        function: What to call instead, with the same arguments; async only behind async calls.
        stale_s: The last good answer to the same arguments will do if it is not older than this many seconds.
        key: What makes two calls the same question; all arguments by default, which then must be hashable.
        max_keys: How many last good answers are kept.
        feature: While it is off, nothing is called and the fallback answers at once.
        on: The errors to answer otherwise for. The default is what says that the other side is not there: a bug
            should not be hidden.
        name: As events, `Degraded` and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: There is nothing to fall back to, or a number is none.
    """
    return Fallback(name, Instead(value, function, stale_s, feature), LastGood(key, max_keys), on, clock)


def _key_of_arguments(*args: Hashable, **kwargs: Hashable) -> Hashable:
    return (args, tuple(sorted(kwargs.items()))) if kwargs else args
