"""Fixtures of the shop's tests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from shop_harness import RunningShop, free_base_port, start_shop, stop_shop

from shop.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite, memory, and nobody else there."""
    return Settings(data=tmp_path, base_port=free_base_port())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def any_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Each kind of database in turn, empty."""
    if request.param == "sqlite":
        return settings
    return replace(settings, database_url=request.getfixturevalue("postgres_database_url"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    """One shop for all tests of a module."""
    running_shop = start_shop(tmp_path_factory.mktemp("shop"))
    yield running_shop
    assert stop_shop(running_shop) == 0
