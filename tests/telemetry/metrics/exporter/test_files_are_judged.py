"""A file with faults is refused with the line, the field and the fix of each; nothing is read."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import cli
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import ConfigError
from holdfast.kernel.secrets import Secrets
from holdfast.telemetry.metrics.exporter import load_exporter

GOOD = """\
sources:
  - name: limits
    static: {items: [{env: prod, limit: 5}]}
    metrics:
      - {name: shop_limit, help: A limit., value: limit, labels: {env: env}}
"""


def faults_of(tmp_path, text):
    path = tmp_path / "exporter.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_exporter(path, Secrets.standard({}, SystemClock()))
    return [(fault.place.line, fault.place.field, fault.message, fault.hint) for fault in caught.value.problems]


def assert_told(found, line, field, message, hint):
    [(of_line, of_field, said, fix)] = found
    assert (of_line, of_field.removesuffix(".[key]")) == (line, field)
    assert message in said
    assert hint in f"{said} {fix}"


def source(body, metric="{name: a, help: A., value: $.a}"):
    return f"sources:\n  - name: s\n{body}\n    metrics:\n      - {metric}\n"


@pytest.mark.parametrize(
    ("body", "line", "field", "message", "hint"),
    [
        ("    labels: {}", 2, "sources[0]", "does not say where it comes from", "http, file, sql, static"),
        (
            "    file: {path: a}\n    sql: {url: 'sqlite://', query: x}\n    json: {}",
            2,
            "sources[0]",
            "file and sql",
            "",
        ),
        ("    file: {path: a}", 2, "sources[0]", "does not say how it is read", "json, regex, key_values, columns"),
        ("    file: {path: a}\n    json: {}\n    regex: a", 2, "sources[0]", "json and regex", ""),
        (
            "    sql: {url: 'sqlite://', query: x}\n    json: {}",
            4,
            "sources[0].json",
            "has fields already",
            "remove json",
        ),
        ("    file: {path: a}\n    json: {each: '$.['}", 4, "sources[0].json.each", "not a JSON path", "$.queues[*]"),
        ("    file: {path: a}\n    regex: '(?P<a>'", 4, "sources[0].regex", "not a regular expression", "RE2"),
        ("    file: {path: a}\n    regex: '(?=a)(?P<a>b)'", 4, "sources[0].regex", "not a regular", "no look-around"),
        ("    file: {path: a}\n    regex: abc", 4, "sources[0].regex", "no named group", "(?P<used>"),
        ("    sql: {url: 'oracle://x', query: x}", 3, "sources[0].sql.url", "no driver for 'oracle'", "postgresql"),
        ("    sql: {url: 'nonsense', query: x}", 3, "sources[0].sql.url", "not a database's URL", ""),
        ("    http: {url: 'ftp://x'}\n    json: {}", 3, "sources[0].http.url", "not an http or https URL", "https://"),
        (
            "    http: {url: 'http://x', auth: {}}\n    json: {}",
            3,
            "sources[0].http.auth",
            "either basic or bearer",
            "",
        ),
        ("    http: {url: '${vault:x}'}\n    json: {}", 3, "sources[0].http.url", "vault", "env"),
        ("    file: {path: a}\n    json: {}\n    every: 1ms", 5, "sources[0].every", "too often", ""),
        (
            "    file: {path: a}\n    json: {}\n    timeout: 5",
            5,
            "sources[0].timeout",
            "5 is not a duration",
            "write 5s",
        ),
        ("    file: {path: a}\n    jsn: {}", 4, "sources[0].jsn", "unknown key 'jsn'", "'json'"),
        ("    file: {path: a}\n    json: {}\n    on_error: keeep", 5, "sources[0].on_error", "'drop' or 'keep'", ""),
        ("    file: {path: a}\n    json: {}\n    labels: 5", 5, "sources[0].labels", "expected a mapping, found 5", ""),
        ("    file: {path: 7}\n    json: {}", 3, "sources[0].file.path", "expected text, found 7", '"7"'),
        ("    columns: {names: a}\n    file: {path: a}", 3, "sources[0].columns.names", "a list, found 'a'", "['a']"),
    ],
)
def test_a_source_that_is_wrong_is_named_with_its_fix(tmp_path, body, line, field, message, hint):
    assert_told(faults_of(tmp_path, source(body)), line, field, message, hint)


@pytest.mark.parametrize(
    ("metric", "field", "message", "hint"),
    [
        ("{name: a b, help: A., value: a}", "name", "not a metric's name", ""),
        ("{name: exporter_up, help: A., value: a}", "name", "the exporter's own", ""),
        ("{name: a, value: a}", "help", "is required", ""),
        ("{name: a, help: A.}", "", "'value' is required", "JSON path"),
        ("{name: a_total, help: A., value: a}", "name", "a gauge must not end with _total", "type: counter"),
        ("{name: a_count, help: A., value: a, type: counter}", "name", "must not end with _count", "leave _count out"),
        ("{name: a, help: A., value: a, unit: seconds}", "name", "does not end with its unit", "a_seconds"),
        ("{name: a, help: A., value: a, unit: bytes, type: counter}", "name", "its unit", "a_bytes_total"),
        ("{name: a, help: A., value: a, type: info}", "", "labels only", ""),
        ("{name: a, help: A., value: a, type: gage}", "type", "'gauge'", ""),
        ("{name: a, help: A., value: a, scale: 0}", "scale", "makes every value 0", ""),
        ("{name: a, help: A., value: a, type: counter, default: -1}", "default", "never negative", "write 0"),
        ("{name: a, help: A., value: b}", "value", "there is no field 'b'", "known here: a, env"),
        ("{name: a, help: A., value: a, labels: {le: a}}", "labels.le", "not a label's name", ""),
        ("{name: a, help: A., value: a, labels: {team: env}}", "labels.team", "the source's already", "keep one"),
        ("{name: a, help: A., value: a, map: {up: yes}}", "map.up", "number", ""),
    ],
)
def test_a_metric_that_is_wrong_is_named_with_its_fix(tmp_path, metric, field, message, hint):
    text = source("    static: {items: [{a: 1, env: x}]}\n    labels: {team: t}", metric)
    at = f"sources[0].metrics[0].{field}".rstrip(".")
    assert_told(faults_of(tmp_path, text), 6, at, message, hint)


def test_metrics_of_one_name_must_agree(tmp_path):
    second = GOOD.replace("sources:\n", "").replace("name: limits", "name: more").replace("A limit.", "Another.")
    found = faults_of(tmp_path, GOOD + second)
    told = "shop_limit has another help at line 5"
    assert [fault[:3] for fault in found] == [(9, "sources[1].metrics[0].help", told)]


@pytest.mark.parametrize(
    ("text", "line", "field", "message", "hint"),
    [
        ("sources: shop", 1, "sources", "expected a list, found 'shop'", "write ['shop']"),
        ("sources:\n  shop: {}", 1, "sources", "expected a list, found a mapping", "begin each entry with '- '"),
        ("sources:\n  - shop", 2, "sources[0]", "expected a mapping, found 'shop'", ""),
        ("sources: []\nparallel: many", 2, "parallel", "expected a whole number, found 'many'", ""),
        ("sources: []\nparallel: 0", 2, "parallel", "expected 1 or more, found 0", ""),
        ("sources: []\ndefaults: {on_error: Kep}", 2, "defaults.on_error", "expected 'drop' or 'keep'", "'keep'"),
    ],
)
def test_what_has_another_form_is_told_in_words_of_the_file(tmp_path, text, line, field, message, hint):
    assert_told(faults_of(tmp_path, text + "\n"), line, field, message, hint)


def test_every_fault_is_told_at_once(tmp_path):
    text = GOOD.replace("value: limit", "value: limt").replace("name: shop_limit", "name: shop_limit_sum")
    assert len(faults_of(tmp_path, text + GOOD.replace("sources:\n", ""))) == 3


def test_the_command_checks_a_file_and_reads_nothing(tmp_path):
    path = tmp_path / "exporter.yml"
    path.write_text(GOOD)
    told = CliRunner().invoke(cli, ["exporter", str(path), "--check"])
    assert told.output.endswith("is valid: 1 source, 1 metric\n")
    told = CliRunner().invoke(cli, ["exporter", str(path), "--check", "--json"])
    assert '"metrics":["shop_limit"]' in told.output


def test_an_empty_file_and_a_source_without_metrics_are_refused(tmp_path):
    assert faults_of(tmp_path, "sources: []")[0][2] == "there is no source"
    empty = "sources:\n  - {name: a, static: {items: []}, metrics: []}\n"
    assert faults_of(tmp_path, empty)[0][:3] == (2, "sources[0].metrics", "there is no metric")
