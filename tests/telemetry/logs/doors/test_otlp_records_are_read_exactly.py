"""Records read from their bytes are what the messages of protobuf say, one attribute after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from prometheus_client import CollectorRegistry

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import Attributes, MemoryLogSink, MemoryLogSource, Records
from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory
from holdfast.telemetry.logs.otlp import OtlpLogsSettings
from holdfast.telemetry.logs.otlp.attributes import Names, PairCodes
from holdfast.telemetry.logs.otlp.conversion import Conversion
from holdfast.telemetry.logs.otlp.messages import as_read_here, request_class
from holdfast.telemetry.logs.otlp.wire import Parts, usual_values
from holdfast.telemetry.logs.storing.repeats import keys_of
from holdfast.telemetry.metrics.otlp import to_text
from holdfast.telemetry.otlp.bodies import Encoding, read_body
from holdfast.telemetry.scrub import LogScrubber, Scrubbing, ScrubSettings

DROPPED = ("gone",)
KEYS = st.sampled_from(["http.route", "user", "gone", "password", "", "naïve", "k" * 127, "k" * 128]) | st.text(
    max_size=4
)
VALUES = st.recursive(
    st.one_of(
        st.sampled_from(["", "a", "10.1.2.3", "jo@example.com", "x" * 123, "x" * 124, "x" * 130, "é"]),
        st.text(max_size=6),
        st.integers(-3, 300) | st.integers(-(2**63), 2**63 - 1),
        st.booleans() | st.floats(allow_nan=False) | st.binary(max_size=4) | st.none(),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ROWS = st.lists(
    st.tuples(st.lists(st.tuples(KEYS, VALUES), max_size=4), VALUES, st.integers(0, 3), st.sampled_from(["", "login"])),
    min_size=1,
    max_size=6,
)


FIELDS = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value", bytes: "bytes_value"}


def put(value: AnyValue, said: Any) -> None:
    if isinstance(said, list):
        value.array_value.SetInParent()
        for each in said:
            put(value.array_value.values.add(), each)
    elif isinstance(said, dict):
        value.kvlist_value.SetInParent()
        for key, each in said.items():
            put(value.kvlist_value.values.add(key=key).value, each)
    elif said is not None:
        setattr(value, FIELDS[type(said)], said)


def request_of(rows: list[tuple[Any, ...]], times: int) -> ExportLogsServiceRequest:
    """Give a request with the rows so many times, each with an attribute of its own."""
    request = ExportLogsServiceRequest()
    part = request.resource_logs.add()
    part.resource.attributes.add(key="service.name").value.string_value = "shop"
    records = part.scope_logs.add().log_records
    for number, (pairs, body, flags, event) in enumerate(rows * times):
        record = records.add(
            time_unix_nano=number + 1, flags=flags, event_name=event, dropped_attributes_count=flags // 2
        )
        put(record.body, body)
        for key, said in [*pairs, ("number", str(number))]:
            put(record.attributes.add(key=key).value, said)
    return request


def read(request: Any) -> Records:
    book, columns = MemoryLogSink(MemoryLogSource()).book(DEFAULT_TENANT), RecordColumns()
    conversion = Conversion(OtlpLogsSettings(drop_attributes=DROPPED), Names(), 30)
    for _ in conversion.walk(as_read_here(request), book, StreamMemory(1), columns):
        pass
    return columns.arrival(1).records


def pairs_of(record: Any) -> list[tuple[str, str]]:
    """Give what a record's message says, as it was read before its bytes were."""
    pairs = list(Names().pairs(record.attributes, frozenset(DROPPED)))
    rare = ((name, getattr(record, name)) for name in ("flags", "dropped_attributes_count", "event_name"))
    return pairs + [(name, str(said)) for name, said in rare if said]


@settings(max_examples=150, deadline=None)
@given(ROWS, st.sampled_from([1, 60]))
def test_what_is_read_from_bytes_is_what_the_messages_say(rows, times):
    request = request_of(rows, times)
    records, messages = read(request), request.resource_logs[0].scope_logs[0].log_records
    assert list(records.bodies) == [to_text(message.body) for message in messages]
    given_ = records.attributes or Attributes.none(len(records))
    bounds, flat = given_.offsets.tolist(), list(zip(given_.keys, given_.values, strict=True))
    assert [flat[begin:end] for begin, end in pairwise(bounds)] == [pairs_of(m) for m in messages]


def written_out(records: Records) -> Records:
    """Give the same records with their pairs one after the other."""
    given_ = records.attributes or Attributes.none(len(records))
    plain = Attributes(given_.offsets, list(given_.keys), list(given_.values))
    return Records(records.refs, records.ts_ns, records.bodies, attributes=plain)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.sampled_from([1, 60]))
def test_pairs_that_are_numbers_are_scrubbed_measured_and_told_apart_as_those_written_out(rows, times):
    coded = read(request_of(rows, times))
    plain = written_out(coded)
    ids = np.arange(len(coded)).astype(np.uint64)
    assert keys_of(DEFAULT_TENANT, coded, ids).tolist() == keys_of(DEFAULT_TENANT, plain, ids).tolist()
    assert coded.sizes.tolist() == plain.sizes.tolist()
    scrubbings = [Scrubbing(ScrubSettings(), CollectorRegistry()) for _ in range(2)]
    kept, wanted = (
        LogScrubber(scrubbing).scrub(DEFAULT_TENANT, records).attributes or Attributes.none(len(records))
        for scrubbing, records in zip(scrubbings, (coded, plain), strict=True)
    )
    assert kept.offsets.tolist() == wanted.offsets.tolist()
    assert (list(kept.keys), list(kept.values)) == (list(wanted.keys), list(wanted.values))
    assert scrubbings[0].finds == scrubbings[1].finds


def test_keys_tell_the_order_the_names_and_the_values_of_pairs_apart():
    rows = [{"a": "1", "b": "2"}, {"b": "2", "a": "1"}, {"a": "2", "b": "1"}, {"a": "1"}, {}, {"a": "1", "b": ""}]
    records = Records(np.zeros(6, np.int64), np.ones(6, np.int64), [""] * 6, attributes=Attributes.of(rows))
    assert len(set(keys_of(DEFAULT_TENANT, records, np.ones(6, np.uint64)).tolist())) == 6


BYTES = st.sampled_from([0x0A, 0x12, 0x18, 0, 1, 2, 3, 4, 5, 0x61, 0x80, 0xFF])
CONTENTS = st.lists(BYTES, max_size=14).map(bytes) | st.binary(max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(CONTENTS, min_size=1, max_size=20))
def test_any_bytes_are_the_attribute_that_protobuf_reads_or_are_refused(contents):
    try:
        messages = [KeyValue.FromString(content) for content in contents]
    except DecodeError:
        with pytest.raises(InvalidError):
            codes_of(contents * 120)
        return
    codes, pairs = codes_of(contents * 120)
    wanted = [list(Names().pairs([message])) for message in messages]
    known = [[code] if code >= 0 else pairs.several[content] for content, code in zip(contents, codes, strict=False)]
    assert [[(pairs.names[code], pairs.texts[code]) for code in row] for row in known] == wanted


def codes_of(contents: list[bytes]) -> tuple[list[int], PairCodes]:
    pairs = PairCodes(Names(), Parts(), frozenset())
    return pairs.of(contents), pairs


@given(st.integers(0, 2**63 - 1), st.text(max_size=40))
def test_usual_values_are_read_without_a_message(number, text):
    whole, said = KeyValue(key="n"), KeyValue(key="t")
    whole.value.int_value, said.value.string_value = number, text
    ends, texts = usual_values([whole.SerializeToString(), said.SerializeToString()])
    assert (ends, texts) == ([3, 3], [str(number), text])


@pytest.mark.parametrize("part", ["attributes", "body", "resource", "scope"])
def test_a_part_that_is_none_refuses_the_request(part):
    request = request_class()()
    group = request.resource_logs.add()
    scoped = group.scope_logs.add()
    record = scoped.log_records.add(time_unix_nano=1)
    if part == "attributes":
        record.attributes.append(b"\xff")
    else:
        setattr({"body": record, "resource": group, "scope": scoped}[part], part, b"\xff")
    with pytest.raises(InvalidError):
        read(request)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.lists(BYTES, max_size=40).map(bytes))
def test_any_body_is_read_or_refused(body):
    try:
        records = read(read_body(body, Encoding.PROTOBUF, request_class()))
    except InvalidError:
        return
    assert len(records.refs) == len(records.bodies) == len(records)
