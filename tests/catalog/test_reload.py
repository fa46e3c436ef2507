"""A load replaces the catalog as a whole, and what it changed is told once."""

from __future__ import annotations

import pytest

from fixtures.ops import component
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.settings import CatalogSettings
from holdfast.kernel.errors import ConfigError, StorageFullError
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.wiring import OpsFolder


@pytest.fixture
def migrations() -> tuple[str, ...]:
    return ("holdfast.kernel.events.migrations", "holdfast.catalog.migrations")


@pytest.fixture
async def log(db, fake_clock) -> EventLog:
    return EventLog(db, fake_clock)


@pytest.fixture
def catalog(db, log, fake_clock) -> Catalog:
    return Catalog(CatalogSettings(), db, log, fake_clock)


async def load(catalog: Catalog, ops_folder, **files: str) -> None:
    for name, text in files.items():
        ops_folder.write(f"services/{name}.yaml", text)
    await catalog.prepare(OpsFolder(ops_folder.root), {}).apply()


async def told(log: EventLog) -> list[dict]:
    events = await log.read(DEFAULT_TENANT, after=0)
    return [{sort: event.data[sort] for sort in ("added", "removed", "changed")} for event in events]


async def test_what_a_load_adds_changes_and_removes_is_one_event_each_time(catalog, log, ops_folder):
    await load(catalog, ops_folder, a=component("a"), b=component("b"))
    (ops_folder.root / "services/b.yaml").unlink()
    await load(catalog, ops_folder, a=component("a", "system: shop"), c=component("c"))
    assert await told(log) == [
        {"added": ["component:default/a", "component:default/b"], "removed": [], "changed": []},
        {"added": ["component:default/c"], "removed": ["component:default/b"], "changed": ["component:default/a"]},
    ]
    assert list(catalog.entities.services) == ["a", "c"]


async def test_the_same_load_in_a_second_process_or_after_a_restart_tells_nothing(
    catalog, db, log, fake_clock, ops_folder
):
    await load(catalog, ops_folder, a=component("a"))
    await load(Catalog(CatalogSettings(), db, log, fake_clock), ops_folder)
    assert len(await told(log)) == 1


async def test_moving_an_entity_to_another_file_is_no_change(catalog, log, ops_folder):
    await load(catalog, ops_folder, a=component("a"))
    (ops_folder.root / "services/a.yaml").unlink()
    await load(catalog, ops_folder, elsewhere="# moved\n" + component("a"))
    assert len(await told(log)) == 1


async def test_a_bad_folder_leaves_the_catalog_as_it_was(catalog, log, ops_folder):
    await load(catalog, ops_folder, a=component("a"))
    before = catalog.entities
    with pytest.raises(ConfigError):
        await load(catalog, ops_folder, b="kind: [half")
    assert catalog.entities is before


async def test_a_reader_keeps_one_state_while_a_reload_happens(catalog, ops_folder):
    await load(catalog, ops_folder, a=component("a"))
    held = catalog.entities
    await load(catalog, ops_folder, b=component("b"))
    assert list(held.services) == ["a"]
    assert list(catalog.entities.services) == ["a", "b"]


async def test_a_full_disk_keeps_no_catalog_from_being_used_and_the_change_is_told_later(
    catalog, db, log, fake_clock, ops_folder, monkeypatch
):
    async def refuse(_work):
        raise StorageFullError("the database's disk is full")

    with monkeypatch.context() as full:
        full.setattr(db, "write", refuse)
        await load(catalog, ops_folder, a=component("a"))
    assert list(catalog.entities.services) == ["a"]
    assert await told(log) == []
    await catalog.record_again()
    assert len(await told(log)) == 1


async def test_a_thousand_entities_are_told_within_the_size_of_an_event(catalog, log, ops_folder):
    await load(
        catalog,
        ops_folder,
        a="".join(component(f"service-with-a-rather-long-name-that-takes-room-{number:06}") for number in range(1200)),
    )
    event = (await log.read(DEFAULT_TENANT, after=0))[0]
    assert (event.data["added_count"], len(event.data["added"])) == (1200, 200)
