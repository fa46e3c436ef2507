"""Settings that would break a promise are refused with their name."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import TenantId
from holdfast.kernel.settings import load
from holdfast.store import SECTION, Retention, StoreSettings


def read(toml: str, tmp_path, **environ: str) -> StoreSettings:
    file = tmp_path / "holdfast.toml"
    file.write_text(f"[telemetry]\n{toml}\n")
    return load([SECTION], file=file, environ=environ)[StoreSettings]


def test_the_defaults_are_a_valid_choice(tmp_path):
    assert read("", tmp_path) == StoreSettings()


def test_retention_is_written_by_stream_and_tenant(tmp_path):
    settings = read('retention = "30d"\nretention_of = { logs = "7d", "acme/*" = "1y", "acme/logs" = "14d" }', tmp_path)
    rule = Retention.of(settings)
    days = {
        (tenant, stream): rule.seconds(TenantId(tenant), stream) // 86400
        for tenant in ("acme", "other")
        for stream in ("logs", "metrics")
    }
    assert days == {("acme", "logs"): 14, ("acme", "metrics"): 365, ("other", "logs"): 7, ("other", "metrics"): 30}


def test_the_url_is_a_secret(tmp_path):
    settings = read("", tmp_path, HOLDFAST_TELEMETRY_URL="clickhouse://user:hunter2@host/db")
    assert "hunter2" not in repr(settings)
    assert "hunter2" in settings.url.reveal()


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('linger = "1s"', r"telemetry\.linger.*at most 200ms"),
        ("pool_size = 0", r"telemetry\.pool_size"),
        ("linger = 5", "linger"),
        ('lingers = "1ms"', "linger"),
    ],
)
def test_what_would_break_a_promise_is_refused(tmp_path, toml, message):
    with pytest.raises(HoldfastError, match=message):
        read(toml, tmp_path)
