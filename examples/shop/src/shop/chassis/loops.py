"""Background work of a service: do it again and again, promptly when woken, patiently when it fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from prometheus_client import Counter

from holdfast import journal
from holdfast.resilience import Backoff, Pauses

LONGEST_PAUSE_S = 10.0
_failures = Counter("shop_loop_failures", "Rounds of background work that failed", ["loop"])


class Loop:
    """Repeats `work` while it returns True (there was something to do), else waits for `wake` or `pause_s`.

    A failed round is logged and counted, and the next one waits twice as long, up to ten seconds.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[bool]], *, pause_s: float) -> None:
        self._name = name
        self._work = work
        self._pause_s = pause_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to do."""
        self._woken.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Repeat in the background until left."""
        task = asyncio.create_task(self._repeat(), name=self._name)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _repeat(self) -> None:
        pauses = Pauses(Backoff(base_s=self._pause_s * 2, cap_s=LONGEST_PAUSE_S, jitter="none"))
        while True:
            self._woken.clear()
            try:
                if await self._work():
                    continue
                pauses.reset()
            except Exception as error:  # noqa: BLE001 -- the fence of a job: counted, logged, tried again
                _failures.labels(self._name).inc()
                journal.get_logger().warning("loop_failed", loop=self._name, error=repr(error))
                await asyncio.sleep(pauses.next_s())
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._pause_s)
