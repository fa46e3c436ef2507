"""Decides what a shared rate does while its store is away: each process goes by its own count until it is back.

That fails open, by as many times the rate as there are processes. A rate whose store is given without this fails
closed: its calls raise StoreAway.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.errors import StoreAway
from holdfast.resilience.events import Listener, PolicyEvent, tell
from holdfast.resilience.memory_stores import MemoryLimiterStore
from holdfast.resilience.ports import LimiterStore, RateRule, Taken


class SpareLimiterStore:
    """Goes by `store`, and by `spare` while that is away; asks again every `again_s`, so that few calls wait for it.

    Listeners hear `store_failed` and `store_back`.
    """

    __slots__ = ("_again_s", "_asks_at_s", "_clock", "_guard", "_is_away", "_listeners", "_spare", "_store", "name")

    def __init__(
        self,
        store: LimiterStore,
        *,
        spare: LimiterStore | None = None,
        again_s: float = 5.0,
        name: str = "",
        clock: Clock = SYSTEM_CLOCK,
        listeners: Iterable[Listener] = (),
    ) -> None:
        self.name = name
        self._store = store
        self._spare = spare or MemoryLimiterStore(clock=clock)
        self._again_s = again_s
        self._clock = clock
        self._listeners = tuple(listeners)
        self._guard = threading.Lock()
        self._is_away = False
        self._asks_at_s = 0.0

    @property
    def is_away(self) -> bool:
        """Whether the shared store did not answer when it was last asked."""
        return self._is_away

    def take(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Take from the shared store, or from the spare one."""
        if self._may_ask():
            try:
                taken = self._store.take(key, rule, cost=cost, most_wait_s=most_wait_s)
            except StoreAway as error:
                self._note_away(error)
            else:
                self._note_back()
                return taken
        return self._spare.take(key, rule, cost=cost, most_wait_s=most_wait_s)

    async def take_async(self, key: str, rule: RateRule, *, cost: float = 1, most_wait_s: float = 0.0) -> Taken:
        """Do as `take`."""
        if self._may_ask():
            try:
                taken = await self._store.take_async(key, rule, cost=cost, most_wait_s=most_wait_s)
            except StoreAway as error:
                self._note_away(error)
            else:
                self._note_back()
                return taken
        return await self._spare.take_async(key, rule, cost=cost, most_wait_s=most_wait_s)

    def give_back(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Return it to the store that is in use; the shared one loses a token rather than gains one."""
        if self._is_away:
            self._spare.give_back(key, rule, cost=cost, due_s=due_s)
            return
        try:
            self._store.give_back(key, rule, cost=cost, due_s=due_s)
        except StoreAway as error:
            self._note_away(error)

    async def give_back_async(self, key: str, rule: RateRule, *, cost: float, due_s: float) -> None:
        """Do as `give_back`."""
        if self._is_away:
            await self._spare.give_back_async(key, rule, cost=cost, due_s=due_s)
            return
        try:
            await self._store.give_back_async(key, rule, cost=cost, due_s=due_s)
        except StoreAway as error:
            self._note_away(error)

    def _may_ask(self) -> bool:
        """Tell whether to ask the shared store; while it is away, one call in `again_s` does."""
        if not self._is_away:
            return True
        with self._guard:
            now_s = self._clock.monotonic()
            if now_s < self._asks_at_s:
                return False
            self._asks_at_s = now_s + self._again_s
            return True

    def _note_away(self, error: StoreAway) -> None:
        with self._guard:
            was_away, self._is_away = self._is_away, True
            self._asks_at_s = self._clock.monotonic() + self._again_s
        if not was_away:
            self._tell("store_failed", error)

    def _note_back(self) -> None:
        if self._is_away:
            with self._guard:
                self._is_away = False
            self._tell("store_back")

    def _tell(self, what: str, error: BaseException | None = None) -> None:
        at_s = self._clock.monotonic()
        tell(self._listeners, PolicyEvent(kind="rate_limit", name=self.name, what=what, at_s=at_s, error=error))
