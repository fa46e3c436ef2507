"""What an OpenMetrics file says besides values goes along: since when counters count, and examples."""

from __future__ import annotations

from typing import Any

from fixtures.arrivals import KeepingSink
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter, SentSample, write_request
from holdfast.telemetry.metrics.transfer.text_files import read_text

FILE = """# TYPE hits counter
hits_total{path="/"} 1 100.0 # {trace_id="a1"} 0.5 99.5
hits_total{path="/"} 2 110.0 # {trace_id="a2"} 0.7
hits_total{path="/"} 1 120.0
hits_created{path="/"} 90.5 100.0
hits_created{path="/"} 90.5 110.0
hits_created{path="/"} 115.25 120.0
# TYPE d histogram
d_bucket{le="1.0"} 3 100.0
d_bucket{le="+Inf"} 4 100.0
d_count 4 100.0
d_sum 9.0 100.0
d_created 80.0 100.0
# TYPE job_created gauge
job_created 5 100.0
# TYPE later counter
later_total 1 100.0
later_created 105.0 110.0
# EOF
"""


def rows(tmp_path: Any, text: str = FILE, position: int = 0, **more: Any) -> list[Any]:
    """Give the rows of a file."""
    path = tmp_path / "file.om"
    path.write_text(text)
    return list(read_text(path, position, **{"in_seconds": True, **more}))


def named(found: list[Any]) -> dict[tuple[str, int], int]:
    """Give the starts by name and time in seconds."""
    return {(dict(row.labels)["__name__"], row.ts_ms // 1000): row.start_ms for row in found}


def test_lines_that_tell_starts_become_those_of_their_metric_and_no_series(tmp_path: Any) -> None:
    assert named(rows(tmp_path)) == {
        ("hits_total", 100): 90_500,
        ("hits_total", 110): 90_500,
        ("hits_total", 120): 115_250,
        ("d_bucket", 100): 80_000,
        ("d_count", 100): 80_000,
        ("d_sum", 100): 80_000,
        ("job_created", 100): 0,
        ("later_total", 100): 0,  # it cannot have begun after it counted
    }


def test_an_import_that_goes_on_knows_what_stood_before_and_stands_behind(tmp_path: Any) -> None:
    position = FILE.index('hits_total{path="/"} 1 120.0')
    assert named(rows(tmp_path, position=position))["hits_total", 120] == 115_250


def test_prometheus_text_has_neither(tmp_path: Any) -> None:
    text = "# TYPE hits counter\nhits_total 1 100000\nhits_created 90 100000\n"
    assert named(rows(tmp_path, text, in_seconds=False)) == {("hits_total", 100): 0, ("hits_created", 100): 0}


async def test_the_server_gets_all_of_it(tmp_path: Any) -> None:
    sink = KeepingSink()
    found = rows(tmp_path)
    sent = [SentSample(row.labels, row.ts_ms, row.value, row.metadata, row.start_ms, row.exemplar) for row in found]
    body = snappy.compress(write_request(sent))
    await RemoteWriter(sink).take("t", body, Protocol.V2, origin="test", is_plain=False)
    kept = sink.book("t")
    starts = {(labels, ts_ms): start for (labels, ts_ms, _), start in zip(kept.samples, kept.starts, strict=True)}
    assert starts == {(row.labels, row.ts_ms): row.start_ms for row in found}
    assert [(ts_ms, value, dict(own)) for _, ts_ms, value, own in kept.exemplars] == [
        (99_500, 0.5, {"trace_id": "a1"}),
        (110_000, 0.7, {"trace_id": "a2"}),
    ]
