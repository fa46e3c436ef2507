"""Finds policies by name: `registry.get("payments")`. Settings make them, code asks for them, neither knows the other.

There is one for the process, and anybody may make another. How settings are read is in `configuration`.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, Final, ParamSpec, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.configuration import make_policy
from holdfast.resilience.policies import Policy

P = ParamSpec("P")
T = TypeVar("T")


class UnknownPolicyError(LookupError):
    """No policy has this name."""


class Registry:
    """Policies by name. Threads may share it."""

    def __init__(self) -> None:
        self.generation = 0
        self._policies: dict[str, Policy] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Count the policies."""
        return len(self._policies)

    def __contains__(self, name: str) -> bool:
        """Tell whether `name` is known."""
        return name in self._policies

    def __iter__(self) -> Iterator[tuple[str, Policy]]:
        """Go through the names and their policies."""
        return iter(list(self._policies.items()))

    def add(self, name: str, policy: Policy) -> Policy:
        """Make `policy` known as `name` and give it back.

        Raises:
            ValueError: The name is taken.
        """
        with self._lock:
            if name in self._policies:
                raise ValueError(f"there is a policy {name!r} already: {self._policies[name]!r}")
            self._policies[name] = policy
            self.generation += 1
        return policy

    def get(self, name: str) -> Policy:
        """Give the policy that is known as `name` now.

        Raises:
            UnknownPolicyError: There is none.
        """
        try:
            return self._policies[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._policies, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnknownPolicyError(f"no policy is named {name!r}{hint}") from None

    def named(self, name: str) -> Policy:
        """Give a policy that does, at each call, what `name` means then: for decorators, which run before settings."""
        return Named(self, name)

    def configure(self, settings: Mapping[str, Any], *, clock: Clock = SYSTEM_CLOCK) -> None:
        """Make the policies that `settings` describe, all or none; those of the same names are replaced.

        A policy is a table of patterns, joined in `RECOMMENDED_ORDER`, or a list of such tables, joined as it stands:
        `{"payments": {"retry": {"attempts": 4}, "breaker": {"failures": 5}, "timeout": 2.0}}`. Breakers and their like
        begin afresh: nothing is taken over from what is replaced.

        Raises:
            PolicySettingsError: A key or a value is none; the message names its place.
        """
        made = {name: make_policy(name, table, clock) for name, table in settings.items()}
        with self._lock:
            self._policies |= made
            self.generation += 1


class Named(Policy):
    """Stands for whatever a registry knows under a name; see `Registry.named`."""

    __slots__ = ("_registry",)

    kind = "named"

    def __init__(self, registry: Registry, name: str) -> None:
        super().__init__(name)
        self._registry = registry

    def __repr__(self) -> str:
        """Show the name."""
        return f"Named({self.name!r})"

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Bind anew whenever the registry has changed."""
        find = self._follow(lambda policy: policy.bind_async(fn))

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            return await find()(*args, **kwargs)

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Bind anew whenever the registry has changed."""
        find = self._follow(lambda policy: policy.bind_sync(fn))

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            return find()(*args, **kwargs)

        return guarded

    def _follow(self, bind: Callable[[Policy], T]) -> Callable[[], T]:
        bound: tuple[int, Policy, T] | None = None

        def find() -> T:
            nonlocal bound
            generation = self._registry.generation
            if bound is not None and bound[0] == generation:
                return bound[2]
            policy = self._registry.get(self.name)
            if bound is None or bound[1] is not policy:
                bound = (generation, policy, bind(policy))
            else:
                bound = (generation, policy, bound[2])
            return bound[2]

        return find


registry: Final = Registry()
