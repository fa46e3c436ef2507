"""How the operations of a run's code are told apart, so that the same one finds its record after a crash.

A name counts up where it is used again; two branches side by side that share one could not be told apart: refused.
"""

from __future__ import annotations

import asyncio
from typing import Any

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.runs.errors import StrandedError
from holdfast.kernel.runs.model import StepKind, StepState
from holdfast.kernel.runs.records import Step


class StepNames:
    """The names that the code has used, and what was recorded under them before.

    Attributes:
        recorded: every step that is known, by key.
        seen: how often a name was used, and by which task last.
        main: the task of the workflow's own code.
        strand: set when the code and the record do not fit.
    """

    __slots__ = ("main", "recorded", "seen", "strand")

    def __init__(self, recorded: dict[str, Step]) -> None:
        self.recorded = recorded
        self.seen: dict[str, tuple[int, asyncio.Task[Any] | None]] = {}
        self.main: asyncio.Task[Any] | None = None
        self.strand: StrandedError | None = None

    def claim_key(self, scope: str, name: str) -> str:
        """Give the key of the next operation `name` in `scope`: `charge`, then `charge#2`.

        Raises:
            InvalidError: two branches that run side by side use one name, so that nobody could tell them apart.
        """
        base = f"{scope}/{name}" if scope else name
        task = asyncio.current_task()
        entry = self.seen.get(base)
        if entry is None:
            if not name or "\0" in name or len(base) > 500:
                raise InvalidError(f"{name!r} is not a name of a step", hint="1 to 500 characters")
            self.seen[base] = (1, task)
            return base
        count, before = entry
        if before is not task and before not in {None, self.main} and not before.done():
            raise InvalidError(
                f"two branches that run side by side both use the step name {name!r}",
                hint="give each branch its own names, `ctx.branch(...)`, or use ctx.map",
            )
        self.seen[base] = (count + 1, task)
        return f"{base}#{count + 1}"

    def find(self, key: str, kind: StepKind) -> Step | None:
        """Give what was recorded under `key`.

        Raises:
            StrandedError: it is of another kind: the code has changed.
        """
        step = self.recorded.get(key)
        if step is not None and step.kind != kind:
            self.strand = StrandedError(f"{key!r} was recorded as a {step.kind}, the code asks for a {kind} now")
            raise self.strand
        return step

    def forget_names(self, scope: str) -> None:
        """Let the names within `scope` begin anew: its code is called again."""
        prefix = f"{scope}/"
        for name in [name for name in self.seen if name.startswith(prefix)]:
            del self.seen[name]
        for key in [
            key for key, step in self.recorded.items() if key.startswith(prefix) and step.state is StepState.FAILED
        ]:
            del self.recorded[key]
