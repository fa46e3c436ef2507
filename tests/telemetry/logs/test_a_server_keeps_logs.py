"""The same on a ClickHouse server as in the embedded engine: values are bound over HTTP, and words are the engine's."""

from __future__ import annotations

import time

import numpy as np

from fixtures.logs import FORWARD, SHOP, Line, arrival, bodies, contains, rows, wanted
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import LineFilter, LineOp
from holdfast.telemetry.metrics import Matcher, MatchOp
from holdfast.telemetry.metrics.labels import labels_of

NOW_NS = time.time_ns()


async def test_records_go_through_a_server_and_come_back(served_logs):
    sink, source = served_logs.sink, served_logs.source
    lines = ["upstream timeout", "100% done_now", "Zeit\nüber", "a\\b 'c' {x:String}"]
    given = arrival(
        sink,
        [Line(NOW_NS + place, body, attributes={"k'1": body}) for place, body in enumerate(lines)],
        observed_ns=np.array([NOW_NS + 9] * 4, np.int64),
        shared=[labels_of({"host_name": "h'1"})],
        shared_refs=np.zeros(4, np.int32),
    )
    await sink.append(DEFAULT_TENANT, given)

    found = await rows(source, wanted(direction=FORWARD))
    assert [row[1] for row in found] == lines
    assert found[3] == (
        NOW_NS + 3,
        lines[3],
        SHOP,
        {
            "host_name": "h'1",
            "k'1": lines[3],
            "observed_timestamp": str(NOW_NS + 9),
            "detected_level": "unknown",
        },
    )
    for line, expected in (
        (contains("imeou"), lines[:1]),
        (contains("%"), lines[1:2]),
        (contains("\\b 'c' {x:S"), lines[3:]),
        (LineFilter(LineOp.MATCHES, ("(?s)Zeit.ü",)), lines[2:3]),
        (LineFilter(LineOp.NOT_MATCHES, ("[0-9']", "\n")), lines[:1]),
    ):
        assert await bodies(source, wanted(lines=(line,))) == expected
    field = Matcher("k'1", MatchOp.MATCHES, ".*\\\\b.*")
    assert await bodies(source, wanted(fields=(field,))) == lines[3:]
    counts = await source.counts(DEFAULT_TENANT, wanted(), step_ns=2**62, by=("host_name", "service_name"))
    assert (counts.groups, counts.records.tolist()) == ([("h'1", "shop")], [4])
