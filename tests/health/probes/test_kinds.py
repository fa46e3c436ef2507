"""The table of check kinds, and what it costs to have it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import holdfast
from holdfast.health.probes import KINDS, ProbeKind, merge_kinds
from holdfast.kernel.errors import ConflictError

DRIVERS = {"cryptography.x509", "dns", "jsonpath", "jsonschema", "pamqp", "pymysql"}  # the kernel loads the others


def test_kinds_are_merged_in_order_of_their_names():
    one, two = ProbeKind("beta", object, None), ProbeKind("alpha", object, None)
    assert list(merge_kinds([one], [two])) == ["alpha", "beta"]


def test_a_plugin_cannot_replace_a_kind():
    kind = ProbeKind("http", object, None)
    with pytest.raises(ConflictError, match="two probe kinds are named 'http'"):
        merge_kinds([kind], [kind])


def test_every_kind_is_there():
    assert list(KINDS) == [
        "dns",
        "elasticsearch",
        "grafana",
        "grpc",
        "http",
        "icmp",
        "kafka",
        "kibana",
        "kubernetes",
        "mysql",
        "nats",
        "postgres",
        "prometheus",
        "rabbitmq",
        "redis",
        "script",
        "ssh",
        "tcp",
        "tls",
    ]


def test_a_driver_is_loaded_by_the_first_check_that_needs_it_and_not_before():
    code = f"import sys, holdfast.health.probes; print(*{DRIVERS!r}.intersection(sys.modules))"
    source = str(Path(holdfast.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": source}
    )
    assert done.stdout.split() == []
