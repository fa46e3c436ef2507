"""What policies do becomes metrics and log lines."""

from __future__ import annotations

import contextlib

import pytest
import structlog
from prometheus_client import CollectorRegistry

from holdfast import instrument
from holdfast.resilience import breaker, retry
from holdfast.resilience.testing import FakeClock, fails


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def watched(registry):
    stop = instrument.watch_policies(registry)
    yield registry
    stop()


def fail_twice(name="stock"):
    policy = retry(name=name, attempts=2, base_s=2, jitter="none", clock=FakeClock())
    with contextlib.suppress(ConnectionError):
        policy.call_sync(fails(ConnectionError("down"), times=2))


def count(registry, what, policy="stock", kind="retry"):
    labels = {"kind": kind, "policy": policy, "what": what}
    return registry.get_sample_value("resilience_events_total", labels)


def test_events_are_counted_by_kind_name_and_what(watched):
    fail_twice()
    assert (count(watched, "retried"), count(watched, "gave_up")) == (1, 1)
    assert watched.get_sample_value("resilience_retry_wait_seconds_sum", {"policy": "stock"}) == 2


def test_the_state_of_a_breaker_is_shown(watched):
    guard = breaker(name="stock", failures=1, clock=FakeClock())
    guard.record_failure()
    assert watched.get_sample_value("resilience_breaker_state", {"policy": "stock"}) == 2


def test_what_matters_is_logged_with_its_fields(watched):
    with structlog.testing.capture_logs() as lines:
        fail_twice()
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("retry_retried", "debug"),
        ("retry_gave_up", "warning"),
    ]
    assert lines[1]["policy"] == "stock"
    assert lines[1]["error"] == "ConnectionError: down"
    assert lines[1]["reason"] == "no attempts left"


def test_names_of_policies_are_bounded(watched):
    for number in range(205):
        fail_twice(f"policy-{number}")
    assert count(watched, "gave_up", policy="other") == 5


def test_who_stops_watching_hears_nothing_more(registry):
    instrument.watch_policies(registry)()
    fail_twice()
    assert count(registry, "gave_up") is None
