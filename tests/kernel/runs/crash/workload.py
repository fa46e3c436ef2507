"""The workflows that the crash trial runs: each of the engine's moves once, every step telling what came before it.

Their input is the path of the ledger, so that they are what users write: plain functions of a module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from holdfast.kernel.runs import Run, StepRetry, Workflow, workflow
from kernel.runs.crash.judge import ANYTHING
from kernel.runs.crash.ledger import Ledger

Nonces = dict[str, str]

# What a run of each kind must end as; the kind is the first part of its key.
EXPECTED: Final = {
    "chain": "succeeded",
    "fork": "succeeded",
    "many": "succeeded",
    "nap": "succeeded",
    "asked": "succeeded",
    "parent": "succeeded",
    "again": "succeeded",
    "saga": "failed",
}
KINDS: Final = tuple(EXPECTED)
OFTEN: Final = StepRetry(attempts=100, base_s=0.001, cap_s=0.002)


async def act(ledger: str, run: str, step: str, after: Nonces) -> str:
    """Do what a step does here: leave a line."""
    await asyncio.sleep(0)
    return Ledger(Path(ledger)).execute(run, step, after)


async def do(ctx: Run, ledger: str, name: str, after: Mapping[str, str], **options: Any) -> Nonces:
    """Take one step, and give its nonce together with those before it."""
    nonce = await ctx.step(name, act, ledger, str(ctx.run_id), name, dict(after), **options)
    return {**after, name: nonce}


@workflow("crash.chain", version=1)
async def chain(ctx: Run, ledger: str) -> Nonces:
    first = await do(ctx, ledger, "a", {})
    return await do(ctx, ledger, "c", await do(ctx, ledger, "b", first))


@workflow("crash.fork", version=1)
async def fork(ctx: Run, ledger: str) -> Nonces:
    first = await do(ctx, ledger, "a", {})
    arms = await ctx.gather(*(do(ctx, ledger, name, first) for name in ("left", "middle", "right")))
    return await do(ctx, ledger, "join", {name: nonce for arm in arms for name, nonce in arm.items()})


@workflow("crash.many", version=1)
async def many(ctx: Run, ledger: str) -> Nonces:
    first = await do(ctx, ledger, "a", {})

    async def one(item: int) -> str:
        return await act(ledger, str(ctx.run_id), f"item[{item}]", first)

    nonces = await ctx.map("item", one, list(range(6)), concurrency=3)
    return await do(ctx, ledger, "join", first | {f"item[{item}]": nonce for item, nonce in enumerate(nonces)})


@workflow("crash.nap", version=1)
async def nap(ctx: Run, ledger: str) -> Nonces:
    first = await do(ctx, ledger, "a", {})
    await ctx.sleep("nap", 0.02)
    return await do(ctx, ledger, "b", first)


@workflow("crash.asked", version=1)
async def asked(ctx: Run, ledger: str) -> Nonces:
    first = await do(ctx, ledger, "a", {})
    await ctx.signal("go", timeout="99h")
    return await do(ctx, ledger, "b", first)


@workflow("crash.parent", version=1)
async def parent(ctx: Run, ledger: str) -> Nonces:
    first = await do(ctx, ledger, "a", {})
    inner = await ctx.child("inner", chain, ledger)
    assert set(inner) == {"a", "b", "c"}
    return await do(ctx, ledger, "b", first)


@workflow("crash.again", version=1)
async def again(ctx: Run, ledger: str) -> Nonces:
    first = await do(ctx, ledger, "a", {})
    tries = 0

    async def flaky(after: Nonces) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError("not yet")
        return await act(ledger, str(ctx.run_id), "flaky", after)

    nonce = await ctx.step("flaky", flaky, first, retry=OFTEN)
    return await do(ctx, ledger, "b", first | {"flaky": nonce})


@workflow("crash.saga", version=1)
async def saga(ctx: Run, ledger: str) -> Nonces:
    def undo(name: str, after: Nonces) -> Callable[..., Any]:
        async def unact(*_given: Any) -> str:
            return await act(ledger, str(ctx.run_id), f"undo-{name}", after)

        return unact

    first = await do(ctx, ledger, "a", {}, compensate=undo("a", {"undo-b": ANYTHING}))
    second = await do(ctx, ledger, "b", first, compensate=undo("b", {}))
    await ctx.step("c", fail, retry=StepRetry(attempts=1))
    return second


async def fail() -> None:
    raise ValueError("for good")


WORKFLOWS: Final[Mapping[str, Workflow[Any, Any]]] = dict(
    zip(KINDS, (chain, fork, many, nap, asked, parent, again, saga), strict=True)
)
