"""Files, HTTP servers and DNS records tell targets, and keep what they told while they are broken."""

from __future__ import annotations

import os

import dns.rdata
import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import ConfigError, UnavailableError
from holdfast.telemetry.metrics.scrape.config import ClientConfig, DnsDiscovery, FileDiscovery, HttpDiscovery
from holdfast.telemetry.metrics.scrape.discovery import Failures
from holdfast.telemetry.metrics.scrape.discovery.files import FileWatch
from holdfast.telemetry.metrics.scrape.discovery.listed import ListedTargets
from holdfast.telemetry.metrics.scrape.discovery.names import NamedTargets


@pytest.fixture
def told():
    return {}


@pytest.fixture
def tell(told):
    return lambda source, found: told.update({source.rpartition("/")[2]: [one["__address__"] for one in found]})


@pytest.fixture
def failures():
    from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics  # noqa: PLC0415 - only here

    return Failures(ScrapeMetrics(CollectorRegistry()), SystemClock())


async def test_files_in_yaml_and_json_are_watched(tmp_path, told, tell, failures):
    watch = FileWatch(FileDiscovery(("*.yml", "*.json")), tmp_path, SystemClock(), failures)
    (tmp_path / "a.yml").write_text("- targets: [a:1, a:2]\n  labels: {x: 1}\n")
    (tmp_path / "b.json").write_text('[{"targets": ["b:1"]}]')
    await watch.look(tell)
    assert told == {"a.yml": ["a:1", "a:2"], "b.json": ["b:1"]}
    (tmp_path / "a.yml").write_text("- targats: [a:1]\n")
    await watch.look(tell)
    assert told["a.yml"] == ["a:1", "a:2"]
    assert [(one.kind, one.source) for one in failures] == [("file", str(tmp_path / "a.yml"))]
    (tmp_path / "a.yml").unlink()
    await watch.look(tell)
    assert told["a.yml"] == []
    assert not list(failures)


async def test_a_json_file_that_is_just_being_written_changes_nothing(tmp_path, told, tell, failures):
    watch = FileWatch(FileDiscovery(("*.json", "*.yml")), tmp_path, SystemClock(), failures)
    files = tmp_path / "a.json", tmp_path / "b.yml"
    for written in ('[{"targets": ["a:1"]}]', "", '[{"targets": ["a:2"'):
        for file in files:
            file.write_text(written)
        await watch.look(tell)
        assert told["a.json"] == ["a:1"]
    assert told["b.yml"] == []  # an empty list, in YAML


async def test_a_file_that_is_swapped_for_one_of_the_same_time_and_size_is_read(tmp_path, told, tell, failures):
    watch = FileWatch(FileDiscovery(("**.yml",)), tmp_path, SystemClock(), failures)
    for number in (1, 2):  # as a ConfigMap of Kubernetes is swapped
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "a.yml").write_text(f"- targets: [a:{number}]\n")
        os.utime(tmp_path / f"..{number}" / "a.yml", (1, 1))
        (tmp_path / "..new").symlink_to(f"..{number}")
        (tmp_path / "..new").replace(tmp_path / "..data")
        if number == 1:
            (tmp_path / "a.yml").symlink_to("..data/a.yml")
        await watch.look(tell)
        assert told == {"a.yml": [f"a:{number}"]}


def _listed(exporter, callers, failures, tmp_path):
    section = HttpDiscovery(url=f"http://{exporter.address}/groups")
    caller = callers.caller(ClientConfig(), tmp_path, "test")
    return ListedTargets(section, caller, SystemClock(), failures)


async def test_an_http_server_lists_groups(exporter, callers, failures, told, tell, tmp_path):
    listed = _listed(exporter, callers, failures, tmp_path)
    exporter.content_type = "application/json; charset=utf-8"
    exporter.page = b'[{"targets": ["a:1"], "labels": {"x": "1"}}, {"targets": ["b:1"], "labels": null}]'
    await listed.ask(tell)
    assert told == {"groups:0": ["a:1"], "groups:1": ["b:1"]}
    exporter.page = b'[{"targets": ["a:2"]}]'
    await listed.ask(tell)
    assert told == {"groups:0": ["a:2"], "groups:1": []}
    exporter.page = b'[{"Targets": ["a:3"], "LABELS": {"X": "1"}}]'
    await listed.ask(tell)
    assert told == {"groups:0": ["a:3"], "groups:1": []}
    exporter.page = b"null"
    await listed.ask(tell)
    assert told == {"groups:0": [], "groups:1": []}
    assert exporter.asked[0][1]["x-prometheus-refresh-interval-seconds"] == "60"


@pytest.mark.parametrize(
    "answer",
    [(500, "application/json", b"[]"), (200, "text/html", b"[]"), (200, "application/json", b'[{"target": []}]')],
)
async def test_an_answer_that_is_no_list_changes_nothing(exporter, callers, failures, tmp_path, answer):
    exporter.status, exporter.content_type, exporter.page = answer
    told = []
    with pytest.raises((UnavailableError, ConfigError)):
        await _listed(exporter, callers, failures, tmp_path).ask(lambda source, _: told.append(source))
    assert told == []


@pytest.mark.parametrize(
    ("kind", "record", "address", "label"),
    [
        ("SRV", "0 0 8080 web-1.example.org.", "web-1.example.org:8080", "srv_record_port"),
        ("A", "10.0.0.1", "10.0.0.1:9100", "name"),
        ("AAAA", "fd00::1", "[fd00::1]:9100", "name"),
        ("MX", "10 mail.example.org.", "mail.example.org:9100", "mx_record_target"),
        ("NS", "ns1.example.org.", "ns1.example.org:9100", "ns_record_target"),
    ],
)
async def test_records_become_addresses(failures, kind, record, address, label):
    async def ask(name, asked_kind):
        return [dns.rdata.from_text("IN", asked_kind, record)]

    found = {}
    section = DnsDiscovery(("web.example.org",), type=kind, port=9100)
    await NamedTargets(section, SystemClock(), failures, ask).look_up(lambda name, told: found.update({name: told}))
    (target,) = found["web.example.org"]
    assert target["__address__"] == address
    assert f"__meta_dns_{label}" in target


async def test_a_name_that_gives_no_answer_keeps_its_targets(failures):
    async def ask(name, kind):
        raise UnavailableError("nobody answers")

    found = {}
    section = DnsDiscovery(("web.example.org",))
    await NamedTargets(section, SystemClock(), failures, ask).look_up(lambda name, told: found.update({name: told}))
    assert found == {}
