"""Cut, changed and random bytes are refused as malformed or read as what they say, and the door works on."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.arrivals import KeepingSink
from fixtures.prompb import v1, v2
from fixtures.remote_write import ENCODERS, NOW_MS, take
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import TooLargeError
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter

ROWS = [
    ({"__name__": "up", "job": "a"}, [(NOW_MS, 1.0)]),
    ({"__name__": "up", "job": "b"}, [(NOW_MS, 0.0)]),
    ({"__name__": "up", "job": "c"}, [(NOW_MS, 1.0), (NOW_MS + 1, 5.0)]),
    ({"__name__": "h"}, []),
]


def example(protocol: Protocol) -> bytes:
    request = ENCODERS[protocol](ROWS)
    histogram = request.timeseries[3].histograms.add(count_int=3, sum=1.0, timestamp=NOW_MS)
    histogram.positive_spans.add(offset=0, length=2)
    histogram.positive_deltas.extend([1, 1])
    request.timeseries[0].exemplars.add(value=1.0, timestamp=NOW_MS)
    if protocol is Protocol.V1:
        request.metadata.add(type=1, metric_family_name="up", help="Is it?")
    else:
        request.timeseries[0].metadata.type = 2
    return bytes(request.SerializeToString())


MESSAGES: dict[Protocol, Any] = {Protocol.V1: v1.WriteRequest, Protocol.V2: v2.Request}


async def try_plain(door: RemoteWriter, protocol: Protocol, data: bytes) -> bool:
    """Tell whether the door could read it."""
    try:
        await door.take("t", data, protocol, origin="x", is_plain=True)
    except InvalidError:
        return False
    return True


def is_readable(protocol: Protocol, data: bytes) -> bool:
    try:
        MESSAGES[protocol].FromString(data)
    except DecodeError:
        return False
    return True


@pytest.mark.parametrize("protocol", Protocol)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), cut=st.integers(0, 400))
@settings(max_examples=300)
async def test_changed_bytes_are_read_or_refused(protocol: Protocol, changes: Any, cut: int) -> None:
    sink = KeepingSink()
    door = RemoteWriter(sink)
    whole = example(protocol)
    await try_plain(door, protocol, whole)  # so that the series are known and the fast walk is tried
    hostile = bytearray(whole)
    for place, byte in changes:
        hostile[place % len(hostile)] = byte
    data = bytes(hostile[: len(hostile) - cut % len(hostile)])
    was_read = await try_plain(door, protocol, data)
    if was_read and is_readable(protocol, data):
        said = MESSAGES[protocol].FromString(data)
        most = sum(len(one.samples) for one in said.timeseries)
        assert len(sink.book("t").samples) - 4 <= most
    samples = len(sink.book("t").samples)
    assert await try_plain(door, protocol, whole), "the door works on"
    assert len(sink.book("t").samples) == samples + 4


@pytest.mark.parametrize("protocol", Protocol)
@given(data=st.binary(max_size=300))
@settings(max_examples=300)
async def test_random_bytes_are_read_or_refused(protocol: Protocol, data: bytes) -> None:
    door = RemoteWriter(KeepingSink())
    if await try_plain(door, protocol, data):
        return
    with pytest.raises(InvalidError):
        await door.take("t", data, protocol, origin="x", is_plain=True)


@given(data=st.binary(max_size=100))
async def test_what_is_no_snappy_block_is_refused(data: bytes) -> None:
    door = RemoteWriter(KeepingSink())
    for body in (data, snappy.compress(data)[:-1], b"\xff\xff\xff\xff\x0f" + data):
        try:
            taken = await door.take("t", body, Protocol.V1, origin="x", is_plain=False)
        except (InvalidError, TooLargeError):
            continue
        assert not taken.written.samples


async def test_a_series_that_is_known_is_not_taken_for_another_layout() -> None:
    """The 18 bytes behind known labels hold a sample in an unusual way: the careful walk must read them."""
    sink = KeepingSink()
    door = RemoteWriter(sink)
    known = ENCODERS[Protocol.V1]([({"__name__": "up"}, [(NOW_MS, 7.0)])])
    await take(door, Protocol.V1, known)
    inner = known.timeseries[0].SerializeToString()
    labels, sample = inner[:-18], inner[-16:]
    swapped = b"\x12\x10" + sample[9:] + sample[:9]  # the time before the value
    message = labels + swapped
    await try_plain(door, Protocol.V1, b"\x0a" + bytes([len(message)]) + message)
    assert sink.book("t").samples == [((("__name__", "up"),), NOW_MS, 7.0)] * 2
