"""What discovery finds becomes a target as Prometheus makes one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.exposition import DEFAULT_PROTOCOLS
from holdfast.telemetry.metrics.scrape import Relabelling, RelabelRule, ScrapeJob
from holdfast.telemetry.metrics.scrape.config import Reading
from holdfast.telemetry.metrics.scrape.targets import Target, make_target

JOB = ScrapeJob("shop", Path(), 15.0, 5.0, Reading(DEFAULT_PROTOCOLS))


def _target(found, *rules, **fields):
    made = make_target(replace(JOB, **fields), Relabelling(rules), found)
    assert isinstance(made, Target)
    return made


def test_a_target_has_its_job_its_instance_and_no_hidden_labels():
    target = _target({"__address__": "a:1", "__meta_x": "y", "team": "t", "empty": ""})
    assert target.labels == (("instance", "a:1"), ("job", "shop"), ("team", "t"))
    assert target.url == "http://a:1/metrics"
    assert dict(target.discovered)["__scrape_interval__"] == "15s"
    assert "empty" not in dict(target.discovered)


def test_relabelling_decides_scheme_path_params_and_timing():
    rules = [
        RelabelRule(target_label=name, replacement=value)
        for name, value in {
            "__scheme__": "https",
            "__metrics_path__": "/probe",
            "__param_module": "http",
            "__scrape_interval__": "1m",
            "__scrape_timeout__": "30s",
            "instance": "me",
        }.items()
    ]
    target = _target({"__address__": "a:1"}, *rules, params={"module": ("x", "y"), "q": ("1",)})
    assert target.url == "https://a:1/probe?module=http&module=y&q=1"
    assert (target.interval_s, target.timeout_s) == (60.0, 30.0)
    assert dict(target.labels)["instance"] == "me"


def test_a_path_is_escaped_but_for_a_query_that_it_brings_along():
    target = _target({"__address__": "h:1"}, metrics_path="/a b#ü?x=1&y=%20")
    assert target.url == "http://h:1/a%20b%23%C3%BC?x=1&y=%20"


@pytest.mark.parametrize(
    ("label", "value", "words"),
    [
        ("__address__", "", "no address"),
        ("__address__", "http://a", "not host:port"),
        ("__scrape_interval__", "1s", "longer than its interval"),
        ("__scrape_interval__", "soon", "not a duration"),
    ],
)
def test_what_is_no_target_is_refused(label, value, words):
    with pytest.raises(InvalidError, match=words):
        _target({"__address__": "a:1"}, RelabelRule(target_label=label, replacement=value))


def test_targets_are_spread_over_the_interval_the_same_way_every_time():
    offsets = [_target({"__address__": f"host-{n}:1"}).offset_s("s") for n in range(200)]
    assert offsets == [_target({"__address__": f"host-{n}:1"}).offset_s("s") for n in range(200)]
    assert all(0 <= offset < 15 for offset in offsets)
    quarters = [sum(q <= offset / 3.75 < q + 1 for offset in offsets) for q in range(4)]
    assert min(quarters) > 25
