"""Small files that Prometheus accepts or refuses: what its sources say, and `promtool check config` where it knows."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import ConfigError
from holdfast.telemetry.metrics.scrape import load_configuration

_JOB = "scrape_configs:\n- job_name: a\n"


def _job(text: str) -> str:
    return f"{_JOB}  {text}\n"


def _rule(text: str) -> str:
    return _job(f"relabel_configs: [{{{text}}}]")


def _cluster(text: str) -> str:
    return _job(f"kubernetes_sd_configs: [{{role: pod, {text}}}]")


@pytest.mark.parametrize(
    "text",
    [
        _job("sample_limit: 1.5"),  # cut off behind the point
        _job("sample_limit: 1e3"),
        _job("sample_limit: 0x10"),
        _job("sample_limit: 1_000"),
        _job("sample_limit: 08"),
        _job("honor_labels: y"),
        _job("honor_labels: Off"),
        _job("body_size_limit: 1GB500MB"),
        _job("body_size_limit: .5MiB"),
        _job("scrape_interval: 0s"),
        _job("params: {a: [null], b: }"),
        _job("fallback_scrape_protocol: ''"),
        _job("static_configs: [{targets: [a], labels: {b: }}]"),
        _job("http_sd_configs: [{url: 'http://:80'}]"),
        _job("basic_auth: {username_ref: a, password_ref: b}"),
        _job("tls_config: {cert_ref: a, key_ref: b, ca_ref: c}"),
        _job("oauth2: {client_id: a, client_secret_ref: b, token_url: 'http://c'}"),
        _job("http_headers: {Accept: {values: [text/plain]}}"),
        _job("ec2_sd_configs:"),
        _rule("action: keep, regex: '\\\\C'"),  # a backslash, and a C
        _cluster("selectors: [{role: pod, label: 'a in (b, c),d notin (e),!f,g,h!=i,j>1,k.io/l==m'}]"),
        _cluster("selectors: [{role: pod, field: 'a.b=c,d!=e,f==g\\,h'}]"),
        "global: {metric_name_validation_scheme: legacy, metric_name_escaping_scheme: allow-utf-8}",  # no job has it
        f"global: {{metric_name_escaping_scheme: allow-utf-8}}\n{_job('metric_name_validation_scheme: legacy')}",
        "global: {metric_name_validation_scheme: '', metric_name_escaping_scheme: ''}",
        "remote_write: [{url: 'http://a', headers: {Accept: b}, metadata_config: {send: no}}]",
        "alerting: {alertmanagers: [{static_configs: [{targets: [a]}], timeout: 5s, consul_sd_configs: [{}]}]}",
        "storage: {tsdb: {out_of_order_time_window: 1h}, exemplars: {max_exemplars: -1}}",
        "tracing: {endpoint: a, sampling_fraction: 0.5, insecure: true, headers: {a: b}}",
        "tracing:\nstorage:\nremote_write:\nalerting:\nscrape_configs:\nrule_files:\n",
    ],
)
def test_a_file_is_accepted(text, tmp_path):
    path = tmp_path / "prometheus.yml"
    path.write_text(text)
    load_configuration(path, root=tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_job("sample_limit: -1"), "expected a number of 0 or more, found '-1'"),
        (_job("sample_limit: '10'"), "expected a number, found '10' in quotes"),
        (_job("honor_labels: 'true'"), "expected true or false, found 'true' in quotes"),
        (_job("honor_labels: 1"), "expected true or false, found '1'"),
        (_job("body_size_limit: 1MiB500KB"), "is not a size"),
        (_job("body_size_limit: 100EB"), "more than can be counted"),
        (_job("sample_limit: many"), "expected a number, found 'many'"),
        (_job("scrape_interval: 300y"), "longer than 292 years"),
        (_job("static_configs: [{targets: [a], labels: {'': b}}]"), "the name of a label is empty"),
        (_job("static_configs: [{target: }]"), "unknown key 'target'"),
        (_job("http_sd_configs: [{url: 'http://a:b'}]"), "is not a URL"),
        (_job("http_sd_configs: [{url: 'http://a b'}]"), "is not a URL"),
        (_job("http_sd_configs: [{url: 'http://a/%zz'}]"), "is not a URL"),
        (_job("proxy_url: 'http://a b'"), "the URL of the proxy is none"),
        (_job("basic_auth: {username: a, username_ref: b}"), "only one of username, username_file and username_ref"),
        (_job("tls_config: {ca_file: a, ca_ref: b}"), "only one of ca, ca_file and ca_ref"),
        (_job("tls_config: {cert_ref: a}"), "needs its key"),
        (_job("http_headers: {X-Amz-Date: {values: [a]}}"), "cannot be set here"),
        (
            _job(
                "oauth2: {client_id: a, token_url: b, signature_algorithm: HS256,"
                " grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer'}"
            ),
            "is none of RS256",
        ),
        (_job("ec2_sd_configs: {region: a}"), "a list is expected here"),
        (_job("ec2_sd_configs: [{region: a, refresh_interval: x}]"), "is not a duration"),
        (_job("gce_sd_configs: [{project: a, zone: b, port: x}]"), "expected a number"),
        (_job("consul_sd_configs: [{allow_stale: x}]"), "expected true or false"),
        (_job("consul_sd_configs: [{server: ''}]"), "server is missing"),
        (_job("consul_sd_configs: [{token: a, authorization: {credentials: b}}]"), "only one of token"),
        (_job("docker_sd_configs: [{host: ':a'}]"), "is not a URL"),
        (_job("triton_sd_configs: [{account: a, dns_suffix: b, endpoint: c, role: d}]"), "is none of"),
        (_job("scaleway_sd_configs: [{project_id: a, access_key: b, secret_key: c, role: instance}]"), "is none"),
        (_rule("source_labels: [''], target_label: b"), "the name of a label is empty"),
        (_rule("action: labeldrop, regex: a, source_labels: []"), "takes only a regex"),
        (_rule("action: , target_label: a"), "found ''"),
        (_rule("action: hashmod, target_label: a, modulus: -1"), "0 or more"),
        (_rule("action: keep, regex: '\\C'"), "stands for no character"),
        (_cluster("selectors: [{role: pod, label: 'a b'}]"), "is not a label selector"),
        (_cluster("selectors: [{role: pod, label: 'a in b'}]"), "is not a label selector"),
        (_cluster("selectors: [{role: pod, label: '-a=b'}]"), "is not a label selector"),
        (_cluster("selectors: [{role: pod, field: 'a=b=c'}]"), "is not a field selector"),
        ("global: {external_labels: {'': a}}", "the name of a label is empty"),
        ("global: {scrape_protocols: []}", "at least one protocol is needed"),
        (
            f"global: {{metric_name_validation_scheme: legacy, metric_name_escaping_scheme: allow-utf-8}}\n{_JOB}",
            "names cannot be allow-utf-8",
        ),
        ("remote_write: [{url: 'http://a', send_exemplars: maybe}]", "expected true or false"),
        ("remote_write: [{url: 'http://a', remote_timeout: x}]", "is not a duration"),
        ("remote_write: [{url: 'http://a', metadata_config: {sent: true}}]", "unknown key 'sent'"),
        ("remote_write: [{url: 'http://a', sigv4: {access_key: a}}]", "needs its secret_key"),
        ("remote_write: [{url: 'http://a', sigv4: {region: a}, bearer_token: b}]", "give only one of"),
        ("remote_write: [{url: 'http://a', headers: {x-amz-date: b}}]", "cannot be set here"),
        ("remote_read: [{url: 'http://a', required_matchers: [a]}]", "expected a mapping"),
        ("alerting: a", "expected a mapping"),
        ("alerting: {alertmanagers: [{servers: [a]}]}", "unknown key 'servers'"),
        ("alerting: {alertmanagers: [{dns_sd_configs: [{}]}]}", "at least one name is needed"),
        ("alerting: {alertmanagers: [{azure_sd_configs: [{}]}]}", "subscription_id is missing"),
        ("storage: {tsdb: a}", "expected a mapping"),
        ("storage: {tsdb: {out_of_order_time_window: x}}", "is not a duration"),
        ("storage: {exemplars: {most: 1}}", "unknown key 'most'"),
        ("tracing: {endpoint: a, sampling_fraction: x}", "expected a number"),
        ("tracing: {endpoint: a, tls_config: {cert_file: b}}", "needs its key"),
        ("tracing: {endpoint: a, tls_config: {ca: }, time: }", "unknown key 'time'"),
    ],
)
def test_a_file_is_refused_with_what_is_wrong(text, words, tmp_path):
    path = tmp_path / "prometheus.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refusal:
        load_configuration(path, root=tmp_path)
    assert words in str(refusal.value.problems[0])
    assert refusal.value.problems[0].place.line > 0
