"""What a request of remote write holds reaches the sink, in both versions, whatever shape the encoder gave it."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.arrivals import KeepingSink
from fixtures.remote_write import ENCODERS, NOW_MS, encode1, encode2, take
from holdfast.kernel.clock import FakeClock
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter

STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]

texts = st.text(st.characters(codec="utf-8"), max_size=40)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda name: name != "__name__")
label_sets = st.dictionaries(names, texts, max_size=6).map(lambda labels: {"__name__": "m", **labels})
times = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(NOW_MS, NOW_MS + 10**9), st.integers(0, 5))
values = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0]))
series = st.lists(st.tuples(label_sets, st.lists(st.tuples(times, values), max_size=4)), max_size=8)


def bits(rows: Any) -> list[Any]:
    """Give rows that compare NaN by NaN and zero by sign."""
    return sorted((labels, ts_ms, struct.pack(">d", value)) for labels, ts_ms, value in rows)


@pytest.mark.parametrize("protocol", Protocol)
@given(rows=series)
@settings(max_examples=150)
async def test_every_sample_arrives_with_its_labels_time_and_bits(protocol: Protocol, rows: Any) -> None:
    sink = KeepingSink()
    door = RemoteWriter(sink)
    sent = [
        (tuple(sorted((name, value) for name, value in labels.items() if value)), ts_ms, value)
        for labels, samples in rows
        for ts_ms, value in samples
    ]
    for times_sent in (1, 2):  # the second time every series is known, and found by its bytes
        await take(door, protocol, ENCODERS[protocol](rows))
        assert bits(sink.book("t").samples) == bits(sent * times_sent)


@pytest.mark.parametrize("protocol", Protocol)
async def test_known_series_are_entered_once(protocol: Protocol) -> None:
    sink = KeepingSink()
    door = RemoteWriter(sink)
    rows = [({"__name__": "up", "job": f"j{number}"}, [(NOW_MS, float(number % 3))]) for number in range(300)]
    for _ in range(3):
        taken = await take(door, protocol, ENCODERS[protocol](rows))
        assert taken.written.samples == 300
    assert len(sink.book("t").origins) == 300
    assert {value for _, _, value in sink.book("t").samples} == {0.0, 1.0, 2.0}


@pytest.mark.parametrize("protocol", Protocol)
async def test_references_are_learnt_anew_when_the_book_forgot(protocol: Protocol) -> None:
    sink = KeepingSink()
    door = RemoteWriter(sink)
    rows = [({"__name__": "up", "job": "a"}, [(NOW_MS, 1.0)])]
    await take(door, protocol, ENCODERS[protocol](rows))
    sink.book("t").forget()
    sink.book("t").ref((("__name__", "other"),), origin="x")
    await take(door, protocol, ENCODERS[protocol](rows))
    assert sink.book("t").samples == [((("__name__", "up"), ("job", "a")), NOW_MS, 1.0)] * 2


async def test_a_book_that_forgets_while_a_request_is_decoded_costs_one_more_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sink = KeepingSink()
    door = RemoteWriter(sink)
    forgetting = iter([True])

    async def forget(_delay: float) -> None:
        if next(forgetting, False):
            sink.book("t").forget()

    monkeypatch.setattr("holdfast.telemetry.metrics.remote.receiving.asyncio.sleep", forget)
    await take(door, Protocol.V1, encode1([({"__name__": "up"}, [(NOW_MS, 1.0)])]))
    assert sink.book("t").samples == [((("__name__", "up"),), NOW_MS, 1.0)]


async def test_a_stale_marker_keeps_its_bits() -> None:
    sink = KeepingSink()
    await take(RemoteWriter(sink), Protocol.V1, encode1([({"__name__": "up"}, [(NOW_MS, STALE), (5, STALE)])]))
    written = np.array([value for _, _, value in sink.book("t").samples])
    assert written.view(np.uint64).tolist() == [STALE_BITS] * 2


def fill_histogram(histogram: Any) -> None:
    histogram.count_int, histogram.sum, histogram.schema = 12, 3.5, 2
    histogram.zero_threshold, histogram.zero_count_int, histogram.timestamp = 0.001, 2, NOW_MS
    for offset, length in ((-2, 2), (3, 1)):
        histogram.positive_spans.add(offset=offset, length=length)
    histogram.positive_deltas.extend([1, 2, -1])
    histogram.negative_spans.add(offset=0, length=1)
    histogram.negative_deltas.append(4)
    histogram.reset_hint = 2


EXPECTED = Histogram(
    schema=2,
    count=12.0,
    sum=3.5,
    zero_threshold=0.001,
    zero_count=2.0,
    positive=Buckets(-2, (1.0, 3.0, 0.0, 0.0, 0.0, 2.0)),
    negative=Buckets(0, (4.0,)),
    hint=ResetHint.NOT_RESET,
)


async def test_native_histograms_exemplars_and_metadata_arrive_by_1_0() -> None:
    request = encode1([({"__name__": "h"}, [])])
    fill_histogram(request.timeseries[0].histograms.add())
    floats = request.timeseries[0].histograms.add(count_float=1.5, schema=-53, timestamp=NOW_MS, sum=math.nan)
    floats.positive_spans.add(offset=1, length=1)
    floats.positive_counts.append(1.5)
    floats.custom_values.extend([0.5, 2.5])
    exemplar = request.timeseries[0].exemplars.add(value=0.3, timestamp=NOW_MS)
    exemplar.labels.add(name="trace_id", value="abc")
    request.metadata.add(type=3, metric_family_name="h", help="Durations.", unit="seconds")
    sink = KeepingSink()
    taken = await take(RemoteWriter(sink), Protocol.V1, request)
    assert (taken.written.histograms, taken.written.exemplars) == (2, 1)
    kept, labels = sink.book("t"), (("__name__", "h"),)
    assert kept.histograms[0] == (labels, NOW_MS, EXPECTED, 0)
    custom = kept.histograms[1][2]
    assert (custom.is_custom, custom.custom_values, custom.positive) == (True, (0.5, 2.5), Buckets(1, (1.5,)))
    assert kept.exemplars == [(labels, NOW_MS, 0.3, (("trace_id", "abc"),))]
    assert kept.metadata == [("h", "histogram", "Durations.", "seconds")]


async def test_native_histograms_exemplars_metadata_and_starts_arrive_by_2_0() -> None:
    request = encode2([({"__name__": "hits_total"}, [(NOW_MS, 2.0)]), ({"__name__": "h"}, [])])
    counter, histogram = request.timeseries
    request.symbols.extend(["Hits.", "trace_id", "abc"])
    symbols = list(request.symbols)
    counter.samples[0].start_timestamp = NOW_MS - 5000
    counter.metadata.type, counter.metadata.help_ref = 1, symbols.index("Hits.")
    exemplar = counter.exemplars.add(value=0.3, timestamp=NOW_MS)
    exemplar.labels_refs.extend([symbols.index("trace_id"), symbols.index("abc")])
    fill_histogram(histogram.histograms.add())
    histogram.created_timestamp = NOW_MS - 7000
    sink = KeepingSink()
    clock = FakeClock()
    door = RemoteWriter(sink, clock=clock)
    await take(door, Protocol.V2, request)
    kept = sink.book("t")
    assert kept.samples == [((("__name__", "hits_total"),), NOW_MS, 2.0)]
    assert kept.starts == [NOW_MS - 5000]
    assert kept.histograms == [((("__name__", "h"),), NOW_MS, EXPECTED, NOW_MS - 7000)]
    assert kept.exemplars == [((("__name__", "hits_total"),), NOW_MS, 0.3, (("trace_id", "abc"),))]
    assert kept.metadata == [("hits_total", "counter", "Hits.", "")]
    await take(door, Protocol.V2, request)
    assert len(kept.metadata) == 1, "what is known is not said again"
    request.symbols[symbols.index("Hits.")] = "Hits of the page."
    await take(door, Protocol.V2, request)
    assert kept.metadata[1:] == [("hits_total", "counter", "Hits of the page.", "")]
    await clock.advance(86_400)
    await take(door, Protocol.V2, request)
    assert len(kept.metadata) == 3, "what is never said again expires"


async def test_symbols_are_numbered_anew_by_every_request() -> None:
    sink = KeepingSink()
    door = RemoteWriter(sink)
    await take(door, Protocol.V2, encode2([({"__name__": "a", "x": "1"}, [(NOW_MS, 1.0)])]))
    await take(door, Protocol.V2, encode2([({"x": "1", "__name__": "b"}, [(NOW_MS, 2.0)])]))
    await take(door, Protocol.V2, encode2([({"__name__": "b", "x": "1"}, [(NOW_MS, 3.0)])]))
    found = {(dict(labels)["__name__"], value) for labels, _, value in sink.book("t").samples}
    assert found == {("a", 1.0), ("b", 2.0), ("b", 3.0)}


async def test_labels_behind_samples_still_count() -> None:
    """Protobuf allows fields in any order."""
    sink = KeepingSink()
    door = RemoteWriter(sink)
    label = encode1([({"__name__": "up", "a": "b"}, [])]).timeseries[0].SerializeToString()
    sample = encode1([({}, [(NOW_MS, 1.0)])]).timeseries[0].SerializeToString()
    for inner in (sample + label, label + sample, sample + label):
        body = snappy.compress(b"\x0a" + bytes([len(inner)]) + inner)
        await door.take("t", body, Protocol.V1, origin="test", is_plain=False)
    assert sink.book("t").samples == [((("__name__", "up"), ("a", "b")), NOW_MS, 1.0)] * 3
