"""Prometheus' own configuration files: `*.bad.*` are refused, the others accepted, each fault with its place."""

from __future__ import annotations

import pytest

from fixtures.conformance import cases
from holdfast.kernel.errors import ConfigError
from holdfast.telemetry.metrics.scrape import load_configuration

# promtool looks whether files of credentials exist; a server does not, and neither do we: they may come later.
_LOOKED_FOR_ON_DISK = {"authorization_credentials_file.bad.yml"}
_PROMTOOL = ("auth*.yml", "prometheus-config*.yml", "config_with*.yml", "url_in*.yml", "prometheus-aws*.yml")


def _promtool_cases():
    found = [case for pattern in _PROMTOOL for case in cases("promtool-rule-tests", pattern)]
    return [case for case in found if "rules.good" not in str(case.id)]


def _judge(path):
    if ".bad." not in path.name or path.name in _LOOKED_FOR_ON_DISK:
        assert load_configuration(path, root=path.parent).base == path.parent
        return
    with pytest.raises(ConfigError) as refusal:
        load_configuration(path, root=path.parent)
    for problem in refusal.value.problems:
        assert problem.place.file.endswith(".yml")
        assert problem.place.line > 0


@pytest.mark.parametrize("path", cases("prometheus-config", "*.yml"))
def test_a_file_of_prometheus_is_accepted_or_refused_as_its_name_says(path):
    _judge(path)


@pytest.mark.parametrize("path", _promtool_cases())
def test_a_file_of_promtool_is_accepted_or_refused_as_its_name_says(path):
    _judge(path)
