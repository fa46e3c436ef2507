"""The real app takes metrics through each door, keeps them, and gives them out again."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.otlp import NOW_NS, counter, point, request
from fixtures.prompb import v1
from fixtures.remote_write import NOW_MS, pack
from holdfast import app
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.remote import Protocol

V1 = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
V2 = {**V1, "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}


async def read(client: Any, name: str, start_ms: int, end_ms: int, **headers: str) -> list[tuple[int, float]]:
    """Give the samples of the one series called `name`, by remote read."""
    question = v1.ReadRequest()
    query = question.queries.add(start_timestamp_ms=start_ms, end_timestamp_ms=end_ms)
    query.matchers.add(type=0, name="__name__", value=name)
    body = snappy.compress(question.SerializeToString())
    answer = await client.post("/prometheus/api/v1/read", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found = v1.ReadResponse.FromString(snappy.decompress(answer.content, limit=10**6, setting="x")).results[0]
    return [(sample.timestamp, sample.value) for series in found.timeseries for sample in series.samples]


async def test_remote_write_of_both_versions_is_read_back(running: Any) -> None:
    rows = [({"__name__": "up", "job": "shop"}, [(NOW_MS, 1.0), (NOW_MS + 1000, 0.0)])]
    async with running() as client:
        for protocol, headers in ((Protocol.V1, V1), (Protocol.V2, V2)):
            answer = await client.post("/prometheus/api/v1/write", content=pack(protocol, rows), headers=headers)
            assert answer.status_code == 204, answer.text
        assert await read(client, "up", NOW_MS, NOW_MS + 1000) == [(NOW_MS, 1.0), (NOW_MS + 1000, 0.0)]
        assert await read(client, "up", NOW_MS + 1, NOW_MS + 1000) == [(NOW_MS + 1000, 0.0)]


async def test_the_year_1970_can_be_written_into_a_fresh_tenant(running: Any) -> None:
    tenant = {"x-scope-orgid": "epoch"}
    rows = [({"__name__": "old"}, [(0, 1.0), (60_000, 2.0)])]
    async with running() as client:
        body = pack(Protocol.V1, rows)
        assert (
            await client.post("/prometheus/api/v1/write", content=body, headers={**V1, **tenant})
        ).status_code == 204
        assert await read(client, "old", 0, 60_000, **tenant) == [(0, 1.0), (60_000, 2.0)]
        assert await read(client, "old", 0, 60_000) == []


async def test_otlp_is_read_back(running: Any) -> None:
    async with running() as client:
        body = request(counter("hits", point(5.0))).SerializeToString()
        headers = {"content-type": "application/x-protobuf"}
        assert (await client.post("/v1/metrics", content=body, headers=headers)).status_code == 200
        assert await read(client, "hits_total", 0, NOW_MS) == [(NOW_NS // 1_000_000, 5.0)]


async def test_a_token_writes_as_a_bearer_and_as_the_password_of_basic_authentication(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[app.Holdfast] = []
    start = app.Holdfast.start

    async def note(holdfast: app.Holdfast) -> None:
        started.append(holdfast)
        await start(holdfast)

    monkeypatch.setattr(app.Holdfast, "start", note)
    async with running(server={"auth": "on"}) as client:
        token = await make_token(client, await started[0].people.issue_setup_link(), "metrics.write")
        client.cookies.clear()
        body = pack(Protocol.V1, [({"__name__": "up"}, [(NOW_MS, 1.0)])])

        async def write(**more: Any) -> int:
            headers = {**V1, **more.pop("headers", {})}
            answer = await client.post("/prometheus/api/v1/write", content=body, headers=headers, **more)
            return int(answer.status_code)

        assert await write() == 401
        assert await write(auth=("x", "hf_nobody_secret")) == 401
        assert await write(auth=("anybody", token)) == 204
        assert await write(headers={"authorization": f"Bearer {token}"}) == 204
        answer = await client.post("/prometheus/api/v1/read", content=b"", auth=("x", token))
        assert answer.status_code == 403, "the token may only write"


async def make_token(client: Any, link: Any, scope: str) -> str:
    """Make the first administrator, and a token that may do one thing."""
    person = {"token": link.reveal(), "name": "ada", "password": "correct horse battery staple"}
    csrf = (await client.post("/api/v1/setup", json=person)).json()["csrf_token"]
    body = {"name": "sender", "scopes": [scope]}
    answer = await client.post("/api/v1/tokens", json=body, headers={"x-csrf-token": csrf})
    return str(answer.json()["secret"])


async def test_the_doors_tell_what_they_took(running: Any) -> None:
    async with running() as client:
        rows = [({"__name__": "up"}, [(NOW_MS, 1.0)]), ({"job": "nameless"}, [(NOW_MS, 1.0)])]
        await client.post("/prometheus/api/v1/write", content=pack(Protocol.V1, rows), headers=V1)
        page = (await client.get("/metrics")).text
        assert 'holdfast_ingest_accepted_total{door="remote_write_1",kind="samples"} 1.0' in page
        assert 'holdfast_ingest_refused_total{door="remote_write_1",reason="labels"} 1.0' in page
