"""Statuses and headers by which a sender of remote write retries, gives up or goes on."""

from __future__ import annotations

import math
from typing import Any

import pytest
from backports import zstd

from fixtures.arrivals import KeepingSink, Kept
from fixtures.remote_write import NOW_MS, encode1, encode2, pack
from holdfast.kernel.errors import BusyError, LimitError, StorageFullError, UnavailableError, after
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter, RemoteWriteSettings

PATH = "/prometheus/api/v1/write"
V1 = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
V2 = {**V1, "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
HEADERS = {Protocol.V1: V1, Protocol.V2: V2}
ONE = [({"__name__": "up", "job": "a"}, [(NOW_MS, 1.0)])]


async def post(client: Any, protocol: Protocol = Protocol.V1, rows: Any = ONE, **headers: str) -> Any:
    return await client.post(PATH, content=pack(protocol, rows), headers={**HEADERS[protocol], **headers})


@pytest.mark.parametrize("protocol", Protocol)
async def test_what_is_stored_is_answered_with_204(client: Any, sink: KeepingSink, protocol: Protocol) -> None:
    answer = await post(client, protocol)
    assert (answer.status_code, answer.content) == (204, b"")
    assert sink.book("default").samples == [((("__name__", "up"), ("job", "a")), NOW_MS, 1.0)]


async def test_2_0_counts_what_was_written(client: Any) -> None:
    request = encode2(ONE)
    request.timeseries[0].exemplars.add(value=1.0, timestamp=NOW_MS)
    request.timeseries[0].histograms.add(count_int=0, timestamp=NOW_MS)
    answer = await client.post(PATH, content=snappy.compress(request.SerializeToString()), headers=V2)
    written = {name: answer.headers[f"x-prometheus-remote-write-{name}-written"] for name in ("samples", "histograms")}
    assert written == {"samples": "1", "histograms": "1"}
    assert answer.headers["x-prometheus-remote-write-exemplars-written"] == "1"


async def test_the_tenant_is_the_headers(client: Any, sink: KeepingSink) -> None:
    await post(client, rows=[({"__name__": "old"}, [(5, 1.0)])], **{"x-scope-orgid": "fresh"})
    assert sink.book("fresh").samples == [((("__name__", "old"),), 5, 1.0)]
    assert not sink.book("default").samples


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/x-protobuf;proto=io.prometheus.write.v3.Request",
        "application/x-protobuf; proto=Request",
    ],
)
async def test_other_messages_are_refused_with_415(client: Any, content_type: str) -> None:
    answer = await post(client, **{"content-type": content_type})
    assert answer.status_code == 415
    assert content_type in answer.text


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-protobuf; Proto=prometheus.WriteRequest",
        "APPLICATION/x-protobuf",
        'application/x-protobuf;proto="prometheus.WriteRequest"',
    ],
)
async def test_1_0_may_be_named(client: Any, content_type: str) -> None:
    assert (await post(client, **{"content-type": content_type})).status_code == 204


async def test_an_encoding_that_is_not_named_is_snappy(client: Any) -> None:
    assert (await post(client, **{"content-encoding": ""})).status_code == 204


async def test_other_encodings_are_refused_with_415_and_those_of_the_web_are_undone(client: Any) -> None:
    assert (await post(client, **{"content-encoding": "br"})).status_code == 415
    plain = encode1(ONE).SerializeToString()
    answer = await client.post(PATH, content=zstd.compress(plain), headers={**V1, "content-encoding": "zstd"})
    assert answer.status_code == 204


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (LimitError("too fast", retry=after(7)), 429, "7"),
        (BusyError("full"), 503, "1"),
        (UnavailableError("away"), 503, "1"),
        (StorageFullError("disk"), 503, "1"),
    ],
)
async def test_what_may_be_sent_again_says_so(
    client: Any, sink: KeepingSink, error: Any, status: int, retry: str | None
) -> None:
    sink.failure = error
    answer = await post(client)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    assert answer.text == f"{error}\n"
    assert not sink.book("default").samples


@pytest.mark.parametrize("protocol", Protocol)
async def test_bad_series_are_refused_by_name_and_the_others_stored(
    client: Any, sink: KeepingSink, protocol: Protocol
) -> None:
    bad = [({"job": "nameless"}, [(NOW_MS, 1.0)]), ({"__name__": "m", "": "x"}, [(NOW_MS, 2.0), (NOW_MS + 1, 2.0)])]
    answer = await post(client, protocol, [*bad, *ONE])
    assert answer.status_code == 400
    assert "3 samples were refused (3 by labels), the others are stored" in answer.text
    assert "no metric name" in answer.text
    assert "a label without a name" in answer.text
    assert len(sink.book("default").samples) == 1
    if protocol is Protocol.V2:
        assert answer.headers["x-prometheus-remote-write-samples-written"] == "1"


async def test_references_to_no_symbol_cost_their_series_only(client: Any, sink: KeepingSink) -> None:
    named = [({"__name__": f"m{number}"}, [(NOW_MS, 1.0)]) for number in range(3)]
    for _ in range(2):  # the second time the others are known
        request = encode2([*named, *ONE])
        request.timeseries[0].labels_refs[1] = 99
        request.timeseries[1].labels_refs.append(1)
        request.timeseries[3].metadata.type, request.timeseries[3].metadata.help_ref = 1, 66
        request.timeseries[2].exemplars.add(value=1.0, timestamp=NOW_MS).labels_refs.extend([1, 77])
        answer = await client.post(PATH, content=snappy.compress(request.SerializeToString()), headers=V2)
        assert answer.status_code == 400
        assert "4 samples were refused (1 by exemplar, 2 by labels, 1 by metadata)" in answer.text
        assert "there is no symbol 99 among 8" in answer.text
        assert "3 label references are not pairs" in answer.text
        assert answer.headers["x-prometheus-remote-write-samples-written"] == "2"
    stored = {dict(labels)["__name__"] for labels, _, _ in sink.book("default").samples}
    assert stored == {"m2", "up"}


async def test_a_label_twice_is_refused(client: Any) -> None:
    request = encode1(ONE)
    request.timeseries[0].labels.add(name="job", value="b")
    answer = await client.post(PATH, content=snappy.compress(request.SerializeToString()), headers=V1)
    assert (answer.status_code, "has the label job twice" in answer.text) == (400, True)


async def test_series_over_a_limit_are_refused_for_good_while_known_ones_go_on(client: Any, sink: KeepingSink) -> None:
    sink.tenants["default"] = Kept(most_series=1)
    assert (await post(client)).status_code == 204
    rows = [*ONE, ({"__name__": "another"}, [(NOW_MS, 1.0)])]
    for _ in range(2):
        answer = await post(client, rows=rows)
        assert answer.status_code == 400
        assert "1 samples were refused (1 by limit)" in answer.text
    assert len(sink.book("default").samples) == 3


async def test_labels_are_bounded(client: Any, door: RemoteWriter) -> None:
    long = [({"__name__": "m", "x": "y" * 5000}, [(NOW_MS, 1.0)])]
    answer = await post(client, rows=long)
    assert "the value of x has 5000 letters, more than remote_write.max_label_value = 4096" in answer.text
    many = [({"__name__": "m", **{f"l{number}": "x" for number in range(64)}}, [(NOW_MS, 1.0)])]
    assert "has 65 labels, more than remote_write.max_labels = 64" in (await post(client, rows=many)).text


async def test_a_body_that_grows_beyond_its_bound_is_not_unpacked(sink: KeepingSink, door: RemoteWriter) -> None:
    small = RemoteWriter(sink, settings=RemoteWriteSettings(max_body=1000))
    with pytest.raises(Exception, match=r"holds 5000000 bytes after decompression, more than remote_write.max_body"):
        body = snappy.compress(bytes(5_000_000))
        await small.take("t", body, Protocol.V1, origin="x", is_plain=False)


async def test_a_histogram_that_contradicts_itself_is_refused_alone(client: Any, sink: KeepingSink) -> None:
    request = encode1(ONE)
    request.timeseries[0].histograms.add(count_int=5, timestamp=NOW_MS).positive_spans.add(offset=0, length=3)
    answer = await client.post(PATH, content=snappy.compress(request.SerializeToString()), headers=V1)
    assert answer.status_code == 400
    assert "1 by histogram" in answer.text
    assert "spans need 3 buckets, have 0" in answer.text
    assert len(sink.book("default").samples) == 1


async def test_whole_counts_add_up_without_any_bucket_too(client: Any, sink: KeepingSink) -> None:
    request = encode1(ONE)
    request.timeseries[0].histograms.add(count_int=5, zero_count_int=2, timestamp=NOW_MS)
    request.timeseries[0].histograms.add(count_int=2, zero_count_int=2, timestamp=NOW_MS)
    request.timeseries[0].histograms.add(
        count_int=5, sum=math.nan, timestamp=NOW_MS
    )  # observations that are no numbers
    answer = await client.post(PATH, content=snappy.compress(request.SerializeToString()), headers=V1)
    assert answer.status_code == 400
    assert "2 observations found in buckets, but the Count field is 5" in answer.text
    assert len(sink.book("default").histograms) == 2
