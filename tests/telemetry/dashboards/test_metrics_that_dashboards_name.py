"""Which metrics the queries of dashboards name, variables and all."""

from __future__ import annotations

import pytest

from holdfast.telemetry.dashboards.uses import names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('sum by (job) (rate(requests_total{job="$job"}[$__rate_interval]))', {"requests_total"}),
        ("label_values(up, job)", {"up"}),
        ('label_values(node_info{cluster="$c"}, instance)', {"node_info"}),
        ("a / on (x) b > ${limit}", {"a", "b"}),
        ('sum by ([[by:csv]]) (rate(requests_total{job="[[job]]"}[[[window]]]))', {"requests_total"}),
        ("max_over_time(m[${window}:$step])", {"m"}),
        ('{__name__=~"x.*"}', set()),
        ("sum(", set()),
        ("a,b,c", set()),
    ],
)
def test_names_are_found(text, names):
    assert set(names_in(text)) == names
