"""Reads a `prometheus.ReadRequest` into the selections that it asks for, and the form in which it wants the answer.

Source of the field numbers: Prometheus' prompb/remote.proto and types.proto.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from holdfast.telemetry.metrics.remote.wire import (
    BYTES,
    VARINT,
    MalformedError,
    expect,
    read_fields,
    read_packed_varints,
    read_text,
    signed,
)
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.metrics.selection import Selection

MOST_QUERIES: Final = 100
_OPS: Final = (MatchOp.EQUAL, MatchOp.NOT_EQUAL, MatchOp.MATCHES, MatchOp.NOT_MATCHES)


class ResponseType(IntEnum):
    """The forms of an answer."""

    SAMPLES = 0
    STREAMED_XOR_CHUNKS = 1


@dataclass(frozen=True, slots=True)
class Questions:
    """What a request asks for, in its order, and the first form that it accepts."""

    selections: list[Selection]
    response_type: ResponseType


def read_questions(data: bytes) -> Questions:
    """Give what a request asks for.

    Raises:
        MalformedError: it is no such message, asks too much at once, or accepts no form of answer that there is.
    """
    selections, accepted = [], []
    for field in read_fields(data, 0, len(data)):
        if field[0] == 1:
            expect(field, BYTES)
            selections.append(_read_query(data, field[2], field[3]))
        elif field[0] == 2:
            accepted += read_packed_varints(data, field)
    if len(selections) > MOST_QUERIES:
        raise MalformedError(f"{len(selections)} queries are in one request, more than {MOST_QUERIES}")
    return Questions(selections, _choose(accepted))


def _choose(accepted: list[int]) -> ResponseType:
    known = {int(each) for each in ResponseType}
    for number in accepted or [ResponseType.SAMPLES]:
        if number in known:
            return ResponseType(number)
    raise MalformedError("the request accepts none of the response types SAMPLES and STREAMED_XOR_CHUNKS")


def _read_query(data: bytes, start: int, end: int) -> Selection:
    times, matchers = {1: 0, 2: 0}, []
    for field in read_fields(data, start, end):
        if field[0] in times:
            expect(field, VARINT)
            times[field[0]] = signed(field[2])
        elif field[0] == 3:
            expect(field, BYTES)
            matchers.append(_read_matcher(data, field[2], field[3]))
    # Both ends of a remote read are included, the start of a selection is not. Hints are left alone: who reads
    # remotely computes for itself, and must get raw samples.
    return Selection(tuple(matchers), start_ms=times[1] - 1, end_ms=times[2])


def _read_matcher(data: bytes, start: int, end: int) -> Matcher:
    op, texts = 0, {2: "", 3: ""}
    for field in read_fields(data, start, end):
        if field[0] == 1:
            expect(field, VARINT)
            op = field[2]
        elif field[0] in texts:
            texts[field[0]] = read_text(data, field)
    if op >= len(_OPS):
        raise MalformedError(f"there is no matcher of type {op}")
    return Matcher(texts[2], _OPS[op], texts[3])
