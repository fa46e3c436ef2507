"""Random starts, signals, cancellations, retries, leaps of time, restarts and kills: the engine does what a model says.

The model knows nothing of journals, parking or recovery: a run is a kind, a state, and how often each effect happened.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from fixtures.engines_of_runs import Engines, kill, until
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs import Run, RunFilter, Runs, StepRetry, workflow
from holdfast.kernel.sql import migrate, open_sqlite
from holdfast.resilience.testing import FakeClock

T = TypeVar("T")
Standing = dict[str, tuple[str, Counter[str]]]  # by run: its state, and how often each effect happened
EFFECTS: dict[str, Counter[str]] = {}
NAP_S = 100.0
PATIENCE_S = 1000.0
PAUSE_S = 10.0


async def effect(run: str, name: str) -> None:
    EFFECTS.setdefault(run, Counter())[name] += 1


async def do(ctx: Run, name: str, **options: Any) -> None:
    await ctx.step(name, effect, str(ctx.run_id), name, **options)


async def undo(run: str, name: str) -> None:
    await effect(run, f"undo-{name}")


@workflow("model.chain", version=1)
async def chain(ctx: Run) -> None:
    await do(ctx, "a")
    await do(ctx, "b")


@workflow("model.nap", version=1)
async def nap(ctx: Run) -> None:
    await do(ctx, "a")
    await ctx.sleep("nap", NAP_S)
    await do(ctx, "b")


@workflow("model.saga", version=1)
async def saga(ctx: Run) -> None:
    await do(ctx, "a", compensate=undo)
    await do(ctx, "b", compensate=undo)
    if not await ctx.signal("go", type=bool, timeout=PATIENCE_S):
        raise ValueError("refused")
    await do(ctx, "c")


@workflow("model.flaky", version=1)
async def flaky(ctx: Run) -> None:
    await do(ctx, "a")
    await ctx.step("b", fail_twice, str(ctx.run_id), retry=StepRetry(3, base_s=PAUSE_S, cap_s=PAUSE_S, jitter="none"))


async def fail_twice(run: str) -> None:
    await effect(run, "try")
    if EFFECTS[run]["try"] < 3:
        raise ConnectionError("not yet")


KINDS = {"chain": chain, "nap": nap, "saga": saga, "flaky": flaky}


@dataclass
class Modelled:
    """A run as the model sees it."""

    kind: str
    started_s: float
    state: str = "waiting"
    pause_from_s: float = 0.0
    effects: Counter[str] = field(default_factory=Counter)

    def begin(self, now_s: float) -> None:
        self.pause_from_s = now_s
        self.effects["a"] += 1
        if self.kind == "chain":
            self.effects["b"] += 1
            self.state = "succeeded"
        if self.kind == "saga":
            self.effects["b"] += 1
        if self.kind == "flaky":
            self.effects["try"] += 1

    def pass_time(self, now_s: float) -> None:
        if self.state != "waiting":
            return
        if self.kind == "nap" and now_s >= self.started_s + NAP_S:
            self.effects["b"] += 1
            self.state = "succeeded"
        if self.kind == "saga" and now_s >= self.started_s + PATIENCE_S:
            self.fall("failed")
        if self.kind == "flaky" and now_s >= self.pause_from_s + PAUSE_S:
            self.effects["try"] += 1
            self.pause_from_s = now_s
            self.state = "succeeded" if self.effects["try"] == 3 else "waiting"

    def hear(self, *, is_yes: bool) -> None:
        if self.kind == "saga" and self.state == "waiting":
            if is_yes:
                self.effects["c"] += 1
                self.state = "succeeded"
            else:
                self.fall("failed")

    def fall(self, state: str) -> None:
        self.state = state
        if self.kind == "saga":
            self.effects.update(["undo-a", "undo-b"])

    @property
    def is_final(self) -> bool:
        return self.state != "waiting"


@cache
def empty_database() -> Path:
    """Give a database with the tables, made once: every example begins with a copy."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    async def make() -> None:
        db = open_sqlite(folder / "holdfast.db")
        await migrate(db, ["holdfast.kernel.events.migrations", "holdfast.kernel.runs.migrations"])
        await db.close()

    asyncio.run(make())
    return folder / "holdfast.db"


class EngineMachine(RuleBasedStateMachine):
    """Does the same to the engine and to the model, and waits until they agree."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.model: dict[str, Modelled] = {}
        shutil.copy(empty_database(), self.folder.name)
        self.do(self.open())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @property
    def now_s(self) -> float:
        return self.clock.monotonic()

    async def open(self) -> None:
        self.db = open_sqlite(Path(self.folder.name) / "holdfast.db")
        self.engines = Engines(self.db, "", self.clock)
        self.engine: Runs = await self.engines.run(*KINDS.values())

    async def close(self) -> None:
        await self.engines.stack.aclose()
        await self.db.close()

    async def agree(self) -> None:
        """Wait until the engine is where the model is; say where it is when it does not come there."""
        wanted = {run: (modelled.state, modelled.effects) for run, modelled in self.model.items()}
        try:
            await until(lambda: self.is_at(wanted))
        except TimeoutError:
            assert await self.look() == wanted

    async def is_at(self, wanted: Standing) -> bool:
        return await self.look() == wanted

    async def look(self) -> Standing:
        page = await self.engine.list(DEFAULT_TENANT, RunFilter(), limit=500)
        return {str(run.id): (str(run.state), EFFECTS.get(run.id, Counter())) for run in page.items}

    @initialize(target=runs, kind=st.sampled_from(sorted(KINDS)))
    def first(self, kind: str) -> str:
        return self.start(kind)

    @rule(target=runs, kind=st.sampled_from(sorted(KINDS)))
    def start(self, kind: str) -> str:
        async def go() -> str:
            handle = await self.engine.start(KINDS[kind])
            self.model[handle.id] = modelled = Modelled(kind, self.now_s)
            modelled.begin(self.now_s)
            await self.agree()
            return str(handle.id)

        return self.do(go())

    @rule(run=runs, is_yes=st.booleans())
    def signal(self, run: str, *, is_yes: bool) -> None:
        async def go() -> None:
            modelled = self.model[run]
            if modelled.is_final:
                with pytest.raises(ConflictError):
                    await self.engine.signal(run, "go", is_yes)
            else:
                await self.engine.signal(run, "go", is_yes)
                modelled.hear(is_yes=is_yes)
            await self.agree()

        self.do(go())

    @rule(run=runs)
    def cancel(self, run: str) -> None:
        async def go() -> None:
            modelled = self.model[run]
            if modelled.is_final:
                with pytest.raises(ConflictError):
                    await self.engine.cancel(run)
            else:
                await self.engine.cancel(run)
                modelled.fall("cancelled")
            await self.agree()

        self.do(go())

    @rule(seconds=st.sampled_from([0.5, 2.0, PAUSE_S, NAP_S, PATIENCE_S]))
    def pass_time(self, seconds: float) -> None:
        async def go() -> None:
            await self.clock.advance(seconds)
            for modelled in self.model.values():
                modelled.pass_time(self.now_s)
            await self.agree()

        self.do(go())

    @rule()
    def restart(self) -> None:
        async def go() -> None:
            await self.close()
            await self.open()
            await self.agree()

        self.do(go())

    @rule()
    def die(self) -> None:
        async def go() -> None:
            await kill(self.engine)
            await self.close()
            await self.open()
            await self.agree()

        self.do(go())

    def teardown(self) -> None:
        self.do(self.close())
        self.runner.close()
        self.folder.cleanup()


EngineMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestTheEngineKeepsToItsModel = pytest.mark.timeout(300)(EngineMachine.TestCase)
