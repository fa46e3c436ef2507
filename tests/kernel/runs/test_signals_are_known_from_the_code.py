"""An approval can be answered with a form, because the workflow's code says what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holdfast.kernel.runs.awaited import signal_types


@dataclass(frozen=True)
class Approval:
    is_granted: bool


async def asks(ctx: Any) -> None:
    await ctx.signal("approve", type=Approval, timeout="1h")
    await ctx.signal("untyped")
    await ctx.signal("odd", type=Unheard)  # noqa: F821 - a name that the module does not have
    await ctx.step("signal", asks)


def test_signals_with_a_type_of_the_module_are_found():
    assert signal_types(asks) == {"approve": Approval}


async def asks_twice(ctx: Any) -> None:
    await ctx.signal("first", type=Approval)
    await ctx.signal("first")
    await ctx.signal("second", type=Approval)
    await ctx.signal("second", type=bool)
    await ctx.signal("third", type=bool)


def test_a_name_that_stands_with_several_types_has_none():
    assert signal_types(asks_twice) == {"third": bool}


def test_code_without_source_has_none():
    assert signal_types(eval("lambda ctx: None")) == {}
    assert signal_types(len) == {}
