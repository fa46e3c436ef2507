"""What a ledger promises, on the shipped twin and on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.health import events
from holdfast.health.checks import Check, Once, Period, Selector, Window
from holdfast.health.engine import MemoryLedger, Pause, Saved
from holdfast.health.engine.sqlledger import SqlLedger
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHECK = Check("a", "http", None, service="shop")


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations", "holdfast.health.migrations")


@pytest.fixture
async def log(db):
    return EventLog(db, FakeClock())


@pytest.fixture
def sql_ledger(db, log):
    return SqlLedger(db, log)


@pytest.fixture
def ledgers(sql_ledger):
    return MemoryLedger(), sql_ledger


async def test_the_last_state_of_each_check_is_recalled(ledgers):
    for ledger in ledgers:
        await ledger.save_state("a", Saved(Verdict.UP, NOW), ())
        later = Saved(Verdict.DOWN, NOW + timedelta(1), "why", True, "gateway", Pause("user/1", NOW))
        await ledger.save_state("a", later, ())
        await ledger.save_state("b", Saved(Verdict.UNKNOWN, NOW), ())
        assert (await ledger.recall()).states == {"a": later, "b": Saved(Verdict.UNKNOWN, NOW)}


async def test_open_windows_are_recalled(ledgers):
    for ledger in ledgers:
        await ledger.save_turn({"x": NOW, "y": NOW}, (), ())
        await ledger.save_turn({"z": NOW}, ("x", "never-open"), ())
        assert (await ledger.recall()).open_windows == {"y", "z"}


async def test_planned_windows_are_recalled_until_removed(ledgers):
    for ledger in ledgers:
        when = Once(Period(NOW, NOW + timedelta(hours=1)))
        selector = Selector(("a",), ("shop",), {"env": "demo"})
        kept, gone = Window("1", "kept", selector, when, "why"), Window("2", "gone", selector, when)
        await ledger.add_window(kept, ())
        await ledger.add_window(gone, ())
        await ledger.remove_window("2", ())
        assert (await ledger.recall()).windows == (kept,)


async def test_state_and_events_are_one_transaction(sql_ledger, log, db):
    change = events.changed(CHECK, Verdict.UP, Verdict.DOWN, "refused", {"duration_s": 0.1})
    await sql_ledger.save_state("a", Saved(Verdict.DOWN, NOW), (change,))
    (event,) = await log.read(DEFAULT_TENANT)
    assert (event.kind, event.subject, event.service) == ("check.changed", "check/a", "shop")
    assert event.data == {"check": "a", "from": "up", "to": "down", "message": "refused", "duration_s": 0.1}

    def broken(tx, *_):
        raise RuntimeError("the log is broken")

    log.append = broken
    with pytest.raises(RuntimeError):
        await sql_ledger.save_state("a", Saved(Verdict.UP, NOW), (change,))
    assert (await sql_ledger.recall()).states["a"].verdict is Verdict.DOWN


async def test_the_tables_and_their_migration_agree(log, db):
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    from holdfast.health.tables import METADATA  # noqa: PLC0415

    def compare(tx):
        ours = set(METADATA.tables)
        context = MigrationContext.configure(
            tx, opts={"include_name": lambda name, kind, _: kind != "table" or name in ours}
        )
        return compare_metadata(context, METADATA)

    assert await db.read(compare) == []
