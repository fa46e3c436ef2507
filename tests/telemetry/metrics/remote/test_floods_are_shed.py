"""New series past a limit are kept out by their bytes: known ones go on, nothing is remembered, each is counted."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from flow.trials.requests import Encoder
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import BusyError, InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics import MetricsSettings, SeriesLimits
from holdfast.telemetry.metrics.arrivals import Arrival, Written
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter, RemoteWriteSettings, Taken
from holdfast.telemetry.metrics.remote.messages import labels_field, message, sample_field
from holdfast.telemetry.metrics.series import series_id
from holdfast.telemetry.metrics.storing import Book

NOW_MS = 1_700_000_000_000
ORIGIN = "remote_write:10.0.0.7"
BOTH = pytest.mark.parametrize("protocol", list(Protocol))


class BookSink:
    """A real book behind real limits, and the arrivals."""

    def __init__(self, **settings: int) -> None:
        self.limits = SeriesLimits(MetricsSettings(**settings), FakeClock(), CollectorRegistry())
        self.only_book = Book(DEFAULT_TENANT, self.limits, lambda *_: 60)
        self.arrivals: list[Arrival] = []

    def book(self, tenant: str) -> Book:
        return self.only_book

    async def append(self, tenant: str, arrival: Arrival) -> Written:
        self.arrivals.append(arrival)
        return Written(len(arrival.refs))


def rows(name: str, numbers: range, **labels: str) -> list[dict[str, str]]:
    return [{"__name__": name, "job": "web", **labels, "user": f"u{n}"} for n in numbers]


async def send(door: RemoteWriter, protocol: Protocol, series: list[dict[str, str]]) -> Taken:
    body = Encoder(protocol, series).body(NOW_MS, [float(n) for n in range(len(series))])
    return await door.take(DEFAULT_TENANT, body, protocol, origin=ORIGIN, is_plain=False)


@BOTH
async def test_known_series_go_on_while_a_flood_is_counted_and_named(protocol: Protocol):
    sink = BookSink(max_series_per_metric=10)
    door = RemoteWriter(sink)
    assert not (await send(door, protocol, rows("hits", range(10)))).refusals
    taken = await send(door, protocol, [*rows("hits", range(5, 500)), *rows("other", range(2))])
    assert taken.written.samples == 7
    assert dict(taken.refusals.counts) == {"limit": 490}
    assert taken.refusals.of_services == {("limit", "web"): 490}
    assert sink.limits.refusals == {DEFAULT_TENANT: {"series_per_metric": 490}}
    (culprit,) = sink.limits.explosions.of(DEFAULT_TENANT)
    assert (culprit.metric, culprit.origin, culprit.refused) == ("hits", ORIGIN, 490)
    label, values = culprit.exploded()
    assert label == "user"
    assert 0.75 * 490 / 16 < values <= 490


@BOTH
async def test_what_is_kept_out_takes_no_place_in_the_memory_of_the_door(protocol: Protocol):
    sink = BookSink(max_series=10)
    door = RemoteWriter(sink, settings=RemoteWriteSettings(known_series=1000))
    await send(door, protocol, rows("hits", range(10)))
    memory = door.memory(DEFAULT_TENANT, protocol)
    before = len(memory)
    for first in range(0, 6000, 1000):
        await send(door, protocol, rows("hits", range(10 + first, 1010 + first)))
    assert door.memory(DEFAULT_TENANT, protocol) is memory
    assert len(memory) == before


@BOTH
async def test_series_that_another_door_made_known_are_let_in_past_the_limit(protocol: Protocol):
    sink = BookSink(max_series=10)
    own = rows("hits", range(10), zone="zürich")
    refs = [sink.only_book.ref(labels_of(row), origin="scrape:a") for row in own]
    taken = await send(RemoteWriter(sink), protocol, [*own, *rows("hits", range(3))])
    assert sink.arrivals[0].refs.tolist() == refs
    assert dict(taken.refusals.counts) == {"limit": 3}


async def test_labels_in_another_order_are_the_same_series():
    sink = BookSink(max_series=1)
    labels = labels_of({"__name__": "hits", "a": "1", "b": "2"})
    sink.only_book.ref(labels, origin="scrape:a")
    body = message(1, labels_field(labels[::-1]) + sample_field(NOW_MS, 1.0))
    door = RemoteWriter(sink)
    for is_first in (True, False):
        taken = await door.take(DEFAULT_TENANT, snappy.compress(body), Protocol.V1, origin=ORIGIN, is_plain=False)
        assert taken.written.samples == 1, is_first
    assert sink.limits.refusals == {}


@BOTH
async def test_a_limit_reached_within_a_request_holds_from_there_on(protocol: Protocol):
    sink = BookSink(max_series_per_origin=50)
    taken = await send(RemoteWriter(sink), protocol, rows("hits", range(400)))
    assert taken.written.samples == 50
    assert sink.limits.refusals == {DEFAULT_TENANT: {"series_per_origin": 350}}
    assert sink.only_book.tally.total == 50


@BOTH
async def test_ids_by_bytes_are_those_by_labels(protocol: Protocol):
    sink = BookSink()
    await send(RemoteWriter(sink), protocol, rows("hits", range(3), Upper="first", zone="ß"))
    book = sink.only_book
    assert book.ids.live.tolist() == [series_id(labels) for labels in book.labels]
    assert book.labels == [labels_of(row) for row in rows("hits", range(3), Upper="first", zone="ß")]


@pytest.mark.parametrize("most", [1, 100])
async def test_several_samples_of_one_new_series_are_met_once(most: int):
    sink = BookSink(max_series=most)
    samples = sample_field(NOW_MS, 1.0) + sample_field(NOW_MS + 1, 2.0)
    body = b"".join(message(1, labels_field(labels_of(row)) + samples) for row in rows("hits", range(2)))
    taken = await RemoteWriter(sink).take(DEFAULT_TENANT, body, Protocol.V1, origin=ORIGIN, is_plain=True)
    assert taken.written.samples == 2 * min(most, 2)
    assert sink.limits.refusals == ({} if most > 1 else {DEFAULT_TENANT: {"series_per_tenant": 1}})


async def test_text_that_is_not_utf8_is_told_with_its_place_where_series_may_come_in():
    sink = BookSink()
    wrong = message(1, message(1, b"__name__") + message(2, b"hits")) + message(
        1, message(1, b"a") + message(2, b"\xc3(")
    )
    body = message(1, wrong + sample_field(NOW_MS, 1.0))
    with pytest.raises(InvalidError, match="not UTF-8"):
        await RemoteWriter(sink).take(DEFAULT_TENANT, body, Protocol.V1, origin=ORIGIN, is_plain=True)
    assert not sink.arrivals


@BOTH
async def test_of_many_floods_at_once_some_are_told_to_come_later(protocol: Protocol, monkeypatch):
    monkeypatch.setattr("holdfast.telemetry.metrics.remote.receiving.MOST_RESTING", 1)
    sink = BookSink(max_series_per_metric=10)
    door = RemoteWriter(sink)
    await send(door, protocol, rows("hits", range(10)))
    floods = [send(door, protocol, rows("hits", range(n * 1000, n * 1000 + 500))) for n in (1, 2)]
    answers = await asyncio.gather(*floods, send(door, protocol, rows("hits", range(10))), return_exceptions=True)
    busy = [answer for answer in answers if isinstance(answer, BusyError)]
    assert len(busy) == 1
    assert "beyond the limit" in str(busy[0])
    known = answers[-1]
    assert isinstance(known, Taken)
    assert known.written.samples == 10
    assert (await send(door, protocol, rows("hits", range(2000, 2500)))).refusals
