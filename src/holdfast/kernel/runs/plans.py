"""What a run would change: the changes that steps plan in a dry run, in order, with a diff that people can read.

Plain data without a run behind it: the engine records it, the API and the console show it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from holdfast.kernel.errors import InvalidError

MAX_DIFF_LINES: Final = 400

PlannedKind = Literal["change", "read", "sleep", "signal", "child", "map"]


class UnplannedStepError(InvalidError):
    """A step cannot be part of a dry run, because it does not say what it would change."""

    code = "step_unplanned"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a step would change.

    Attributes:
        resource: what, as people name it: `deployment/shop-web`, `card ch_1`.
        action: a verb: create, update, delete, restart, send, ...
        before: how it is now, text or JSON data; None when it is not there.
        after: how it would be; None when it would be gone.
        note: what else a reader must know.
    """

    resource: str
    action: str
    before: Any = None
    after: Any = None
    note: str = ""

    def diff(self) -> str:
        """Give the difference as unified diff, at most `MAX_DIFF_LINES` lines; empty when nothing can be compared."""
        lines = list(
            difflib.unified_diff(
                _lines(self.before),
                _lines(self.after),
                f"{self.resource} (now)",
                f"{self.resource} (then)",
                lineterm="",
            )
        )
        more = len(lines) - MAX_DIFF_LINES
        return "\n".join([*lines[:MAX_DIFF_LINES], f"... {more} more lines"] if more > 0 else lines)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan function gives back.

    Attributes:
        changes: in the order in which they would happen; none means that the step would change nothing.
        result: what the step would give, as far as that can be known; the workflow goes on with it.
        note: one line for readers.
    """

    changes: tuple[Change, ...] = ()
    result: Any = None
    note: str = ""


PlanAnswer: TypeAlias = Plan | Change | Iterable[Change] | None


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a dry run.

    Attributes:
        key: the step's.
        kind: `change` was planned, `read` was run for real, `sleep` and `signal` were passed.
        child: the plan of a child run.
    """

    key: str
    kind: PlannedKind
    changes: tuple[Change, ...] = ()
    note: str = ""
    child: RunPlan | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The result of a dry run: its steps in order, and what the workflow would have returned."""

    steps: tuple[PlannedStep, ...] = ()
    result: Any = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """Give every change, those of children too, in order."""
        return tuple(change for _, change in _walk(self, ""))

    def diff(self) -> str:
        """Give the whole plan as text: a line per change, then its unified diff."""
        parts = []
        for key, change in _walk(self, ""):
            parts.append(f"{key}: {change.action} {change.resource}" + (f" ({change.note})" if change.note else ""))
            if text := change.diff():
                parts.append(text)
        return "\n".join(parts) or "nothing would change"

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON data; `read_plan` reads it back."""
        return {"steps": [step_as_json(step) for step in self.steps], "result": self.result, "diff": self.diff()}


def as_plan(answer: object, step: str) -> Plan:
    """Give what a plan function answered as a `Plan`.

    Raises:
        UnplannedStepError: it answered with something else.
    """
    if answer is None:
        return Plan()
    if isinstance(answer, Plan):
        return answer
    given = [answer] if isinstance(answer, Change) or not isinstance(answer, Iterable) else list(answer)
    changes = tuple(change for change in given if isinstance(change, Change))
    if len(changes) < len(given):
        raise UnplannedStepError(
            f"step {step}: its plan function gave a {type(answer).__qualname__}",
            hint="return a Plan, a Change, a list of Changes, or None for no change",
        )
    return Plan(changes)


def refuse_unplanned(step: str) -> UnplannedStepError:
    """Give the error of a step that says neither how to plan it nor that it only reads."""
    return UnplannedStepError(
        f"step {step} cannot be part of a dry run: it does not say what it would change",
        hint=f"give ctx.step({step!r}, ..., dry_run=plan_function), or read_only=True if it changes nothing",
    )


def read_plan(data: Mapping[str, Any]) -> RunPlan:
    """Give the plan in `data`, which `RunPlan.as_json` made."""
    return RunPlan(tuple(read_step(step) for step in data["steps"]), data["result"])


def read_step(data: Mapping[str, Any]) -> PlannedStep:
    """Give the planned step in `data`, which `step_as_json` made."""
    changes = tuple(Change(**change) for change in data["changes"])
    child = read_plan(data["child"]) if data["child"] is not None else None
    return PlannedStep(data["key"], data["kind"], changes, data["note"], child)


def step_as_json(step: PlannedStep) -> dict[str, Any]:
    """Give a planned step as JSON data."""
    return {
        "key": step.key,
        "kind": step.kind,
        "changes": [
            {"resource": it.resource, "action": it.action, "before": it.before, "after": it.after, "note": it.note}
            for it in step.changes
        ],
        "note": step.note,
        "child": step.child.as_json() if step.child is not None else None,
    }


def _walk(plan: RunPlan, prefix: str) -> Iterator[tuple[str, Change]]:
    for step in plan.steps:
        for change in step.changes:
            yield prefix + step.key, change
        if step.child is not None:
            yield from _walk(step.child, f"{prefix}{step.key} > ")


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    text = value if isinstance(value, str) else json.dumps(value, indent=2, sort_keys=True, default=str)
    return text.splitlines()
