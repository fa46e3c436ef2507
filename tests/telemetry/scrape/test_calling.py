"""How a scrape presents itself: credentials given or in files, further headers, traded tokens, a proxy, TLS."""

from __future__ import annotations

import base64

import pytest

from holdfast.kernel import decoding
from holdfast.kernel.errors import InvalidError, NotFoundError
from holdfast.telemetry.metrics.scrape.config import ClientConfig


async def _headers(callers, exporter, base, **fields):
    client = decoding.decode(ClientConfig, fields)
    caller = callers.caller(client, base, "test")
    await caller.get(f"http://{exporter.address}/metrics", {}, timeout_s=5.0)
    return exporter.asked[-1][1]


async def test_basic_credentials_may_stand_in_files_and_are_read_again(callers, exporter, tmp_path):
    (tmp_path / "word").write_text("hunter2\n")
    given = {"basic_auth": {"username": "me", "password_file": "word"}}
    headers = await _headers(callers, exporter, tmp_path, **given)
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"me:hunter2"
    (tmp_path / "word").write_text("another-word\n")
    headers = await _headers(callers, exporter, tmp_path, **given)
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"me:another-word"


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        ({"bearer_token": "t0k3n"}, "Bearer t0k3n"),
        ({"bearer_token_file": "token"}, "Bearer from-file"),
        ({"authorization": {"credentials": "t0k3n"}}, "Bearer t0k3n"),
        ({"authorization": {"type": "Token", "credentials_file": "token"}}, "Token from-file"),
    ],
)
async def test_a_token_is_sent_as_the_section_says(callers, exporter, tmp_path, fields, header):
    (tmp_path / "token").write_text("from-file\n")
    assert (await _headers(callers, exporter, tmp_path, **fields))["authorization"] == header


async def test_further_headers_join_values_secrets_and_files(callers, exporter, tmp_path):
    (tmp_path / "token").write_text("three")
    given = {"http_headers": {"X-Tenant": {"values": ["one"], "secrets": ["two"], "files": ["token"]}}}
    assert (await _headers(callers, exporter, tmp_path, **given))["x-tenant"] == "one, two, three"


async def test_a_missing_file_of_credentials_is_named(callers, exporter, tmp_path):
    with pytest.raises(NotFoundError, match="nowhere"):
        await _headers(callers, exporter, tmp_path, bearer_token_file="nowhere")


async def test_credentials_are_traded_for_a_token_once(callers, exporter, tmp_path):
    exporter.content_type = "application/json"
    exporter.page = b'{"access_token": "abc", "expires_in": 3600}'
    oauth = {"client_id": "me", "client_secret": "word", "token_url": f"http://{exporter.address}/token"}
    caller = callers.caller(decoding.decode(ClientConfig, {"oauth2": oauth}), tmp_path, "test")
    for _ in range(2):
        await caller.get(f"http://{exporter.address}/metrics", {}, timeout_s=5.0)
    assert [path for path, _ in exporter.asked] == ["/token", "/metrics", "/metrics"]
    assert exporter.asked[-1][1]["authorization"] == "Bearer abc"


async def test_a_proxy_is_asked_unless_the_host_is_spared(callers, exporter, tmp_path):
    given = {"proxy_url": f"http://{exporter.address}", "no_proxy": "127.0.0.1"}
    caller = callers.caller(decoding.decode(ClientConfig, given), tmp_path, "test")
    await caller.get("http://target.example/metrics", {}, timeout_s=5.0)
    assert exporter.asked[-1][0] == "http://target.example/metrics"
    await caller.get(f"http://{exporter.address}/direct", {}, timeout_s=5.0)
    assert exporter.asked[-1][0] == "/direct"


async def test_certificates_that_cannot_be_used_are_named(callers, exporter, tmp_path):
    (tmp_path / "ca.pem").write_text("not a certificate")
    with pytest.raises(InvalidError, match=r"ca\.pem"):
        await _headers(callers, exporter, tmp_path, tls_config={"ca_file": "ca.pem"})
