"""Step code in the event loop: the default for async functions, and the cheapest."""

from __future__ import annotations

import inspect
from typing import Any

from holdfast.kernel.runs.places.errors import StepPlaceError
from holdfast.kernel.runs.places.ports import Command, Work


class TaskPlace:
    """Calls the function where the run itself runs. One that blocks holds up every run of the process."""

    async def run(self, work: Work) -> Any:
        """Call it, and wait for it if it is async."""
        if isinstance(work.todo, Command):
            raise StepPlaceError(f"step {work.name}: a command needs a process", hint="leave out place='task'")
        result = work.todo(*work.args, **work.named)
        return await result if inspect.isawaitable(result) else result

    async def close(self) -> None:
        """Nothing of it stays."""
