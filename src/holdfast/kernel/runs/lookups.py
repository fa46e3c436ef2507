"""What the API asks the tables: pages of runs and steps with everything that a page shows, and no more of a payload.

Rows go to `showing`. The engine reads for itself; nothing here is on its path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Connection, Row, Select, and_, case, func, literal_column, or_, select

from holdfast.kernel.ids import TenantId
from holdfast.kernel.runs.model import RunState, StepKind, StepState
from holdfast.kernel.runs.tables import RUN_ATTEMPTS, RUN_LOG, RUN_SIGNALS, RUN_STEPS, RUNS

SHOWN_CHARACTERS: Final = 16 * 1024  # of a payload on a page; a page may hold hundreds
PREVIEW_CHARACTERS: Final = 200
MOST_ATTEMPTS: Final = 20
MOST_SIGNALS: Final = 200
MOST_CHILDREN: Final = 200
MOST_MAPS: Final = 50
MOST_PLANS: Final = 200

# In the words of the partial indexes, which the databases compare letter by letter.
_IS_NOTABLE: Final[ColumnElement[bool]] = literal_column("state <> 'succeeded'", Boolean)
_IS_INNER: Final[ColumnElement[bool]] = literal_column("parent <> ''", Boolean)
_HEAVY: Final = frozenset({"input", "result", "published"})
_LIGHT: Final = [column for column in RUNS.c if column.name not in _HEAVY]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which runs somebody wants to see; an empty field means any."""

    states: tuple[RunState, ...] = ()
    workflow: str | None = None
    queue: str | None = None
    service: str | None = None
    actor: str | None = None
    schedule: str | None = None
    parent_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class StepWish:
    """Which steps of a run: those inside `parent` (None for the outermost), in these states if any are named."""

    parent: str | None = None
    states: tuple[StepState, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRows:
    """All rows that the page of one run is made of.

    `notable` are the steps that the page names by themselves: fan-outs, children, undoings, and in a dry run all.
    """

    run: Row[Any]
    counts: dict[str, int]
    items: dict[str, dict[str, int]]
    notable: Sequence[Row[Any]]
    signals: Sequence[Row[Any]]
    children: Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many outer steps of a run are over, the one begun last, and its items by state if it is a fan-out."""

    over: int
    newest: Row[Any]
    items: dict[str, int]


def find_runs(tx: Connection, tenant: TenantId, wish: Wish, before: str, limit: int) -> Sequence[Row[Any]]:
    """Give runs, newest first; with `before`, only those older than that id."""
    query = select(*_LIGHT).where(*_conditions(tenant, wish)).order_by(RUNS.c.id.desc()).limit(limit)
    return tx.execute(query.where(RUNS.c.id < before) if before else query).all()


def count_runs(tx: Connection, tenant: TenantId, wish: Wish) -> dict[str, int]:
    """Count the runs that `wish` lets pass, whatever states it names, except those that succeeded: they have no end."""
    column = RUNS.c.state
    those = _conditions(tenant, replace(wish, states=()))
    query = select(column, func.count()).where(*those, _IS_NOTABLE).group_by(column)
    return {row[0]: row[1] for row in tx.execute(query)}


def find_progress(tx: Connection, run_ids: Sequence[str]) -> dict[str, Progress]:
    """Give how far those of these runs have come that have begun a step."""
    columns = RUN_STEPS.c
    over = func.count().filter(columns.finished_at.is_not(None))
    query = select(columns.run_id, over, func.max(columns.position)).where(columns.run_id.in_(run_ids))
    begun = {run: (count, last) for run, count, last in tx.execute(_outer(query).group_by(columns.run_id))}
    if not begun:
        return {}
    newest = or_(*(and_(columns.run_id == run, columns.position == last) for run, (_, last) in begun.items()))
    steps = tx.execute(_outer(_steps()).where(newest)).all()
    items = _count_maps(tx, [(step.run_id, step.key) for step in steps if step.kind == StepKind.MAP])
    return {step.run_id: Progress(begun[step.run_id][0], step, items.get(step.run_id, {})) for step in steps}


def find_run(tx: Connection, tenant: TenantId, run_id: str) -> Row[Any] | None:
    """Give one run without its payloads, if the tenant has it."""
    return tx.execute(select(*_LIGHT).where(RUNS.c.id == run_id, RUNS.c.tenant == tenant)).one_or_none()


def read_run(tx: Connection, tenant: TenantId, run_id: str) -> RunRows | None:
    """Give all that the page of one run shows, if the tenant has it."""
    query: Select[Any] = select(*_LIGHT, *_cut(RUNS.c.input), *_cut(RUNS.c.result), RUNS.c.published)
    run = tx.execute(query.where(RUNS.c.id == run_id, RUNS.c.tenant == tenant)).one_or_none()
    if run is None:
        return None
    notable = tx.execute(_notable(run_id, is_dry_run=run.is_dry_run)).all()
    children: Select[Any] = select(RUNS.c.id, RUNS.c.workflow, RUNS.c.state, RUNS.c.parent_key)
    signals = select(RUN_SIGNALS).where(RUN_SIGNALS.c.run_id == run_id).order_by(RUN_SIGNALS.c.id)
    return RunRows(
        run,
        _count_steps(tx, run_id, ""),
        count_items(tx, run_id, [step.key for step in notable if step.kind == StepKind.MAP]),
        notable,
        tx.execute(signals.limit(MOST_SIGNALS)).all(),
        tx.execute(children.where(RUNS.c.parent_id == run_id).order_by(RUNS.c.id).limit(MOST_CHILDREN)).all(),
    )


def find_steps(tx: Connection, run_id: str, wish: StepWish, after: tuple[int, str], limit: int) -> Sequence[Row[Any]]:
    """Give steps in the order in which they began, behind the position and key `after`."""
    columns, (position, key) = RUN_STEPS.c, after
    query = _steps().where(columns.run_id == run_id, columns.parent == (wish.parent or ""))
    query = query.where(or_(columns.position > position, and_(columns.position == position, columns.key > key)))
    if wish.parent:
        query = query.where(_IS_INNER)
    if wish.states:
        query = query.where(columns.state.in_([str(state) for state in wish.states]))
    return tx.execute(query.order_by(columns.position, columns.key).limit(limit)).all()


def find_step(tx: Connection, run_id: str, key: str) -> Row[Any] | None:
    """Give one step with its whole result, as text."""
    query = select(RUN_STEPS, RUN_STEPS.c.result.label("result_text"))
    return tx.execute(query.where(RUN_STEPS.c.run_id == run_id, RUN_STEPS.c.key == key)).one_or_none()


def find_attempts(tx: Connection, run_id: str, keys: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Give the last attempts that failed or were superseded, oldest first, by step."""
    found: dict[str, list[Row[Any]]] = {}
    if not keys:
        return found
    columns = RUN_ATTEMPTS.c
    number = func.row_number().over(
        partition_by=columns.key, order_by=(columns.attempt_group.desc(), columns.attempt.desc())
    )
    chosen = select(RUN_ATTEMPTS, number.label("number")).where(columns.run_id == run_id, columns.key.in_(keys))
    ranked = chosen.subquery()
    query = select(ranked).where(ranked.c.number <= MOST_ATTEMPTS).order_by(ranked.c.key, ranked.c.number.desc())
    for row in tx.execute(query):
        found.setdefault(row.key, []).append(row)
    return found


def count_items(tx: Connection, run_id: str, keys: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count the items of fan-outs by state, by the key of the fan-out."""
    counts: dict[str, dict[str, int]] = {key: {} for key in keys}
    if keys:
        columns = RUN_STEPS.c
        query = select(columns.parent, columns.state, func.count()).where(
            columns.run_id == run_id, columns.parent.in_(keys), _IS_INNER
        )
        for parent, state, count in tx.execute(query.group_by(columns.parent, columns.state)):
            counts[parent][state] = count
    return counts


def find_lines(tx: Connection, run_id: str, step: str | None, after: int, limit: int) -> Sequence[Row[Any]]:
    """Give lines of a run's log behind `after`, oldest first."""
    query = select(RUN_LOG).where(RUN_LOG.c.run_id == run_id, RUN_LOG.c.seq > after)
    if step is not None:
        query = query.where(RUN_LOG.c.step == step)
    return tx.execute(query.order_by(RUN_LOG.c.seq).limit(limit)).all()


def _conditions(tenant: TenantId, wish: Wish) -> list[ColumnElement[bool]]:
    columns = RUNS.c
    asked = {
        columns.workflow: wish.workflow,
        columns.queue: wish.queue,
        columns.service: wish.service,
        columns.actor: wish.actor,
        columns.schedule: wish.schedule,
        columns.parent_id: wish.parent_id,
    }
    found: list[ColumnElement[bool]] = [columns.tenant == tenant]
    found += [column == value for column, value in asked.items() if value is not None]
    if wish.states:
        found.append(columns.state.in_([str(state) for state in wish.states]))
    if wish.states and RunState.SUCCEEDED not in wish.states:
        found.append(_IS_NOTABLE)
    if wish.since is not None:
        found.append(columns.created_at >= wish.since)
    if wish.until is not None:
        found.append(columns.created_at < wish.until)
    if wish.text:
        words = (columns.id, columns.workflow, columns.dedupe_key, columns.service, columns.error)
        found.append(or_(*(column.icontains(wish.text, autoescape=True) for column in words)))
    return found


def _outer(query: Select[Any]) -> Select[Any]:
    return query.where(RUN_STEPS.c.parent == "")


def _count_maps(tx: Connection, maps: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Count the items of one fan-out of each of several runs, by run and state."""
    found: dict[str, dict[str, int]] = {}
    if maps:
        columns = RUN_STEPS.c
        inside = or_(*(and_(columns.run_id == run, columns.parent == key) for run, key in maps))
        query = select(columns.run_id, columns.state, func.count()).where(inside, _IS_INNER)
        for run, state, count in tx.execute(query.group_by(columns.run_id, columns.state)):
            found.setdefault(run, {})[state] = count
    return found


def _steps() -> Select[Any]:
    light = [column for column in RUN_STEPS.c if column.name != "result"]
    return select(*light, *_cut(RUN_STEPS.c.result))


def _notable(run_id: str, *, is_dry_run: bool) -> Select[Any]:
    columns = RUN_STEPS.c
    kinds = [str(kind) for kind in (StepKind.MAP, StepKind.CHILD, StepKind.COMPENSATION)]
    query = _steps().where(columns.run_id == run_id).order_by(columns.position)
    if is_dry_run:
        return query.limit(MOST_PLANS)
    return query.where(or_(columns.kind.in_(kinds), columns.child_id.is_not(None))).limit(MOST_PLANS)


def _count_steps(tx: Connection, run_id: str, parent: str) -> dict[str, int]:
    columns = RUN_STEPS.c
    query = select(columns.state, func.count()).where(columns.run_id == run_id, columns.parent == parent)
    return {row[0]: row[1] for row in tx.execute(query.group_by(columns.state))}


def _cut(column: ColumnElement[str]) -> list[ColumnElement[Any]]:
    """Give a payload's length, its text where it is small, and its beginning."""
    size = func.length(column)
    return [
        size.label(f"{column.key}_size"),
        case((size <= SHOWN_CHARACTERS, column), else_=None).label(f"{column.key}_text"),
        func.substr(column, 1, PREVIEW_CHARACTERS).label(f"{column.key}_preview"),
    ]
