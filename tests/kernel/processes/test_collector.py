"""The garbage collector works again after a pause, also where loading failed, and does not pass over each request."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from holdfast.kernel.processes import calm_collector, paused_collector


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_the_collector_rests_only_while_it_is_paused() -> None:
    with paused_collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_loaded_meanwhile_is_passed_over_later() -> None:
    with paused_collector():
        loaded: list[object] = [[]]
    assert all(each is not loaded for each in gc.get_objects())
    gc.unfreeze()
    assert any(each is loaded for each in gc.get_objects())


def test_an_error_while_it_is_paused_does_not_keep_it_off() -> None:
    with pytest.raises(OSError, match="no such rooms"), paused_collector():
        raise OSError("no such rooms")
    assert gc.isenabled()


def test_a_server_lets_requests_of_a_thousand_records_come_without_a_pass() -> None:
    before = gc.get_threshold()
    try:
        calm_collector()
        assert 4_000 < gc.get_threshold()[0] <= 10_000  # what is in a circle must not stay for long, either
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
