"""What `prometheus.yml` becomes: jobs with every default filled in; faults with their place; secrets hidden."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import ConfigError
from holdfast.telemetry.metrics.exposition import DEFAULT_PROTOCOLS, NATIVE_PROTOCOLS, Protocol
from holdfast.telemetry.metrics.otlp import OtlpOptions, Translation
from holdfast.telemetry.metrics.scrape import load_configuration
from holdfast.telemetry.metrics.scrape.config import parse_duration


@pytest.fixture
def load(tmp_path):
    def load(text: str, **others: str):
        for name, content in others.items():
            (tmp_path / f"{name}.yml").write_text(content)
        path = tmp_path / "prometheus.yml"
        path.write_text(text)
        return load_configuration(path, root=tmp_path)

    return load


def _problems(load, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        load(text)
    return [str(problem) for problem in refusal.value.problems]


def test_a_job_has_the_defaults_of_prometheus(load):
    (job,) = load("scrape_configs: [{job_name: a}]").jobs
    assert (job.interval_s, job.timeout_s, job.scheme, job.metrics_path) == (60.0, 10.0, "http", "/metrics")
    assert (job.honor_labels, job.honor_timestamps, job.reading.protocols) == (False, True, DEFAULT_PROTOCOLS)


def test_a_job_takes_from_global_what_it_does_not_say(load):
    text = """
global: {scrape_interval: 5s, sample_limit: 7, scrape_native_histograms: true}
scrape_configs:
  - job_name: a
  - {job_name: b, sample_limit: 9, scrape_interval: 1m, scrape_native_histograms: false}
"""
    first, second = load(text).jobs
    assert (first.interval_s, first.timeout_s, first.limits.samples) == (5.0, 5.0, 7)
    assert first.reading.protocols == NATIVE_PROTOCOLS
    assert (second.interval_s, second.timeout_s, second.limits.samples) == (60.0, 5.0, 9)
    assert second.reading.protocols == DEFAULT_PROTOCOLS


def test_scalars_keep_their_letters_where_a_text_is_meant(load):
    text = """
scrape_configs:
  - job_name: 007
    static_configs: [{targets: [a:1], labels: {version: 1.10, on: yes}}]
    relabel_configs: [{source_labels: [x], regex: 1, action: Keep}]
"""
    (job,) = load(text).jobs
    assert job.name == "007"
    assert job.discoveries[0].labels == {"version": "1.10", "on": "yes"}
    assert job.relabel_rules[0].regex == "1"


def test_every_fault_is_told_with_file_line_field_and_fix(load):
    problems = _problems(
        load,
        """
global:
  scrap_interval: 5s
scrape_configs:
  - job_name: a
    metrics_pth: /x
  - scrape_interval: 5 seconds
    job_name: b
""",
    )
    assert problems[0].startswith("prometheus.yml:3: global.scrap_interval: unknown key 'scrap_interval'")
    assert "(did you mean 'scrape_interval'?)" in problems[0]
    assert problems[1].startswith("prometheus.yml:6: scrape_configs[0].metrics_pth: ")
    assert problems[2].startswith("prometheus.yml:7: scrape_configs[1].scrape_interval: '5 seconds' is not a duration")


def test_an_unknown_key_without_a_value_is_refused_too(load):
    assert "metrcs_path" in _problems(load, "scrape_configs: [{job_name: a, metrcs_path: }]")[0]


def test_sections_that_are_not_ours_are_named_and_do_not_stand_in_the_way(load):
    jobs = "scrape_configs: [{job_name: a, ec2_sd_configs: [{region: x}]}]"
    found = load(f"remote_write: [{{url: 'http://x/'}}]\n{jobs}")
    assert found.warnings == (
        "prometheus.yml:1: remote_write: the section remote_write is not supported: Holdfast keeps the samples itself",
        "prometheus.yml:2: scrape_configs[0].ec2_sd_configs: discovery by ec2 is not supported: no targets come of it",
    )


def test_secrets_are_never_shown(load):
    text = "scrape_configs: [{job_name: a, basic_auth: {username: u, password: hunter2}}]"
    found = load(text)
    assert "hunter2" not in found.shown
    assert "hunter2" not in repr(found)
    assert "password: <secret>" in found.shown


def test_what_is_shown_is_what_prometheus_reads(load):
    """Its YAML takes no quoted `true` for a truth and no quoted `50` for a number; a text may stand as it is."""
    job = (
        "{job_name: a, honor_labels: true, sample_limit: 50, static_configs: [{labels: {v: '1.10', w: '', x: 'null'}}]}"
    )
    shown = load(f"scrape_configs: [{job}]").shown
    assert "honor_labels: true\n" in shown
    assert "sample_limit: 50\n" in shown
    assert "v: 1.10\n" in shown
    assert "w: ''\n" in shown
    assert "x: 'null'\n" in shown
    assert load(shown).shown == shown


def test_rules_that_nobody_evaluates_are_told(load):
    (warning,) = load("rule_files: [rules/*.yml]").warnings
    assert warning.startswith("prometheus.yml:1: rule_files: rules are not evaluated")


def test_jobs_come_from_the_files_that_it_names_too(load):
    found = load(
        "scrape_config_files: [more*.yml]", more1="scrape_configs: [{job_name: m}]", more2="scrape_configs: []"
    )
    assert [job.name for job in found.jobs] == ["m"]


def test_an_included_file_holds_nothing_but_jobs(load):
    with pytest.raises(ConfigError, match=r"more\.yml may hold scrape_configs and nothing else"):
        load("scrape_config_files: [more.yml]", more="global: {}")


def test_merged_keys_and_anchors_work(load):
    text = """
scrape_configs:
  - &common {job_name: a, honor_labels: true}
  - {<<: *common, job_name: b}
"""
    assert [(job.name, job.honor_labels) for job in load(text).jobs] == [("a", True), ("b", True)]


def test_a_fallback_and_an_own_list_of_protocols(load):
    text = """
scrape_configs:
  - job_name: a
    scrape_protocols: [PrometheusText0.0.4]
    fallback_scrape_protocol: OpenMetricsText1.0.0
"""
    (job,) = load(text).jobs
    assert job.reading.protocols == (Protocol.TEXT,)
    assert job.reading.fallback is Protocol.OPENMETRICS1


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("1h30m", 5400), ("500ms", 0.5), ("1d", 86400), ("0", 0), ("1y2w", 32745600)]
)
def test_durations_are_those_of_prometheus(text, seconds):
    assert parse_duration(text) == seconds


def test_an_empty_file_has_no_jobs(load):
    assert load("").jobs == ()


def test_what_the_file_says_of_otlp_is_read_and_in_force(load):
    text = """
otlp:
  translation_strategy: NoUTF8EscapingWithSuffixes
  convert_histograms_to_nhcb: true
  promote_resource_attributes: [service.name, k8s.pod.name]
"""
    found = load(text)
    assert found.otlp == OtlpOptions(
        translation_strategy=Translation.UTF8,
        convert_histograms_to_nhcb=True,
        promote_resource_attributes=("service.name", "k8s.pod.name"),
    )
    assert not found.warnings
    assert load("scrape_configs: []").otlp is None
    assert (
        "prometheus.yml:1: otlp.convert_histograms_to_nhcb"
        in _problems(load, "otlp: {convert_histograms_to_nhcb: perhaps}")[0]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("global: " + "[" * 100_000, "prometheus.yml:1: nested too deeply"),
        (
            "x0: &x0 {k: 1}\n" + "".join(f"x{n}: &x{n} {{<<: [{f'*x{n - 1}, ' * 9}]}}\n" for n in range(1, 20)),
            "too large",
        ),
        ("global: !!binary '\xff'\n", "prometheus.yml:1: global: not UTF-8 text"),
        ("global:\n\tscrape_interval: 1s\n", "prometheus.yml:2: not valid YAML: found character that cannot start any"),
        ("global: {}\n---\nglobal: {}\n", "prometheus.yml:2: one document is expected here (remove the '---' line)"),
        ("global: {}\n# \x00\n", "prometheus.yml:2: the character '\\x00' has no place in a text"),
        ("global:\n  ? [a]\n  : b\n", "prometheus.yml:2: global: a key that is no text"),
        ("global: {}\nglobal: {}\n", "prometheus.yml:2: the key 'global' stands here twice"),
    ],
)
def test_yaml_that_is_hostile_is_refused_with_its_line(load, text, words):
    [problem] = _problems(load, text)
    assert words in problem


def test_plain_and_quoted_nothing_are_told_apart(load):
    text = 'scrape_configs: [{job_name: "~", scrape_interval: , params: {a: ["null", \'\']}}]'
    (job,) = load(text).jobs
    assert (job.name, job.interval_s) == ("~", 60.0)
    assert {name: list(values) for name, values in dict(job.params).items()} == {"a": ["null", ""]}


def test_a_key_without_a_value_is_zero_and_not_the_default(load):
    """As in Go's YAML: Debian's Prometheus shows `honor_timestamps: false` and an empty regex for such a file."""
    text = """
scrape_configs:
  - job_name: a
    honor_timestamps:
    enable_compression:
    follow_redirects:
    metrics_path:
    relabel_configs: [{source_labels: [x], regex: , separator: , replacement: , target_label: y}]
    file_sd_configs: [{files: [a.yml], refresh_interval: }]
"""
    (job,) = load(text).jobs
    assert (job.honor_timestamps, job.reading.is_compressed, job.client.follow_redirects) == (False, False, False)
    assert job.metrics_path == ""
    (rule,) = job.relabel_rules
    assert (rule.regex, rule.separator, rule.replacement) == ("", "", "")
    assert job.discoveries[0].refresh_interval == 300.0  # with 0 Prometheus falls over


def test_a_limit_of_zero_is_that_of_global(load):
    text = """
global: {sample_limit: 7, body_size_limit: 1KB, keep_dropped_targets: 3}
scrape_configs: [{job_name: a, sample_limit: 0, body_size_limit: 0, keep_dropped_targets: 0}]
"""
    (job,) = load(text).jobs
    assert (job.limits.samples, job.limits.body_bytes, job.keeps_dropped) == (7, 1024, 3)


def test_names_are_escaped_as_the_jobs_own_validation_asks(load):
    text = """
global: {metric_name_validation_scheme: legacy, metric_name_escaping_scheme: dots}
scrape_configs:
  - {job_name: a}
  - {job_name: b, metric_name_validation_scheme: legacy}
  - {job_name: c, metric_name_validation_scheme: utf8}
  - {job_name: d, metric_name_validation_scheme: utf8, metric_name_escaping_scheme: values}
"""
    escapings = [(job.reading.is_legacy, job.reading.escaping) for job in load(text).jobs]
    assert escapings == [(True, "dots"), (True, "underscores"), (False, "allow-utf-8"), (False, "values")]


def test_external_labels_may_name_variables_of_the_environment(tmp_path):
    path = tmp_path / "prometheus.yml"
    path.write_text("global: {external_labels: {a: '${ZONE}-$NODE', b: 'cost: $$5', c: 'x${GONE}y', d: '$', e: '$-'}}")
    found = load_configuration(path, variables={"ZONE": "eu", "NODE": "n1"})
    assert found.external_labels == {"a": "eu-n1", "b": "cost: $5", "c": "xy", "d": "$", "e": ""}
    assert "${ZONE}-$NODE" in found.shown


def test_names_of_secrets_that_a_manager_knows_are_warned_of(load):
    (warning,) = load("scrape_configs: [{job_name: a, basic_auth: {username: u, password_ref: p}}]").warnings
    assert "basic_auth: password_ref is not read" in warning
