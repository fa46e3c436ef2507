"""What editors and dashboards ask before any query, and a Prometheus above that federates, beside Debian's Prometheus.

Both servers get the same 100,000 series of 2,000 metrics by remote write, are started anew, and asked over HTTP on
loopback, uncompressed, until the last byte. What Prometheus lists, ours must list; of itself Holdfast keeps some series
more. Cold is the first request for such a thing, warm the best of fourteen after it.
Run: python benchmarks/metrics_browsing.py [--metrics 2000] [--targets 50]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.remote.messages import labels_field, message, sample_field
from metrics_vs_prometheus import own, peer, settle

PER_BODY = 2_000
TIMES = 15
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
HEADERS["x-prometheus-remote-write-version"] = "0.1.0"
VERBS = ("GET", "POST", "PUT", "DELETE", "HEAD")


def bodies(metrics: int, targets: int, ts_ms: int) -> Iterator[bytes]:
    """Give the compressed bodies of one sample of each series."""
    held = []
    for metric in range(metrics):
        for target in range(targets):
            labels = {
                "__name__": f"app_{metric % 40}_part_{metric}_total",
                "instance": f"10.0.{target // 10}.{target}:8000",
                "job": f"job-{target % 10}",
                "verb": VERBS[metric % 5],
                f"own_{metric % 40}": str(target % 7),
            }
            held.append(message(1, labels_field(labels_of(labels)) + sample_field(ts_ms, float(target))))
    for first in range(0, len(held), PER_BODY):
        yield snappy.compress(b"".join(held[first : first + PER_BODY]))


def requests(now_s: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """Give path and parameters by what is asked for."""
    span = {"start": now_s - 3600, "end": now_s + 60}
    one, kind = "app_7_part_47_total", '{__name__=~"app_7_.*"}'
    return {
        "names of metrics": ("/api/v1/label/__name__/values", span),
        "label_values(instance)": ("/api/v1/label/instance/values", span),
        "label_values(metric, instance)": ("/api/v1/label/instance/values", {**span, "match[]": one}),
        "label_values({job}, instance)": ("/api/v1/label/instance/values", {**span, "match[]": '{job="job-3"}'}),
        "label_values(own_7)": ("/api/v1/label/own_7/values", span),
        "labels": ("/api/v1/labels", span),
        "labels of a metric": ("/api/v1/labels", {**span, "match[]": one}),
        "series of a metric": ("/api/v1/series", {**span, "match[]": one}),
        "series of 50 metrics": ("/api/v1/series", {**span, "match[]": kind}),
        "labels of a target": ("/api/v1/labels", {**span, "match[]": '{instance="10.0.1.13:8000"}'}),
        "federate 50 metrics": ("/federate", {"match[]": kind}),
        "federate all": ("/federate", {"match[]": '{__name__=~"app_.*"}'}),
    }


def answer(client: httpx.Client, path: str, params: dict[str, Any]) -> tuple[float, float, Any]:
    """Give the first and the best later seconds, and what was answered."""
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        response = client.get(path, params=params)
        times.append(time.perf_counter() - began)
        response.raise_for_status()
    is_page = path == "/federate"
    return times[0], min(times[1:]), lines(response.text) if is_page else json.loads(response.content)["data"]


def lines(page: str) -> list[str]:
    """Give the samples of a page, the labels by name and without the time, which both give."""
    return sorted(line.rpartition(" ")[0] for line in page.splitlines() if not line.startswith("#"))


def entries(data: Any) -> set[str]:
    """Give what an answer lists."""
    return {json.dumps(each, sort_keys=True) for each in data}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=int, default=2_000)
    parser.add_argument("--targets", type=int, default=50)
    given = parser.parse_args()
    now_s = int(time.time())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ops").mkdir()
        found: list[dict[str, tuple[float, float, Any]]] = []
        for start in (own, peer):
            with start(folder) as served:
                for body in bodies(given.metrics, given.targets, now_s * 1000):
                    served.client.post("/api/v1/write", content=body, headers=HEADERS).raise_for_status()
                settle(served)
            with start(folder) as served:
                settle(served)
                asked = requests(now_s).items()
                found.append({name: answer(served.client, *request) for name, request in asked})
    print(f"{given.metrics * given.targets:,} series; milliseconds (cold, warm) and how many times as fast")
    for name, ours in found[0].items():
        theirs = found[1][name]
        assert entries(ours[2]) >= entries(theirs[2]), name
        print(
            f"{name:32} own {1e3 * ours[0]:8.2f} {1e3 * ours[1]:8.2f}   Prometheus {1e3 * theirs[0]:8.2f}"
            f" {1e3 * theirs[1]:8.2f}   {theirs[0] / ours[0]:6.1f} {theirs[1] / ours[1]:6.1f}"
        )


if __name__ == "__main__":
    main()
