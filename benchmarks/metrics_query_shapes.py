"""The shapes of query that dashboards and rules use, by `holdfast up` and by the Prometheus on the PATH, side by side.

Both hold the families of `_dashboard_set` and are asked in turn over HTTP; the best of some rounds counts. Printed are
milliseconds, how many times as fast Holdfast is, how far its memory rose, and where the two answers differ;
of equal values, `topk` may keep others.
Run: python benchmarks/metrics_query_shapes.py [--scale 1] [--hours 24] [--folder KEPT] [--rounds 4] [--only TEXT]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _dashboard_set import DashboardSet
from metrics_vs_prometheus import Served, own, peer, settle

RELATIVE = 1e-9
ABSOLUTE = 1e-12
RATE = "rate(c[5m])"
PODS = "|".join(f"app{n % 40}-23x{n:03}" for n in range(200))
OVER_TIME = ("avg", "min", "max", "sum", "count", "last", "present", "stddev", "stdvar")
FOLDS = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
COUNTED = ("rate", "irate", "increase", "resets", "changes", "idelta", "delta", "deriv")
SPANS = {"1h/15s": (3600, 15), "24h/60s": (86_400, 60), "24h/15m": (86_400, 900), "24h/5m": (86_400, 300)}

# What is asked, by the span it is asked over; "now" is an instant.
SHAPES: list[tuple[str, str]] = [
    *(("24h/5m", f"{op} by (namespace) ({RATE})") for op in FOLDS),
    *(("1h/15s", f"{op} by (pod) ({RATE})") for op in FOLDS),
    *(("1h/15s", f"{op} without (number) (rate(m[5m]))") for op in ("sum", "max", "stddev")),
    ("24h/60s", "sum by (mode) (g)"),
    ("24h/60s", "sum by (instance) (g)"),
    ("24h/60s", "avg by (instance, mode) (g)"),
    ("24h/5m", "count by (pod) (c)"),
    ("24h/5m", "max by (pod, namespace) (rate(c[5m]))"),
    ("24h/60s", "topk(5, rate(m[5m]))"),
    ("24h/60s", "topk by (job) (3, rate(m[5m]))"),
    ("24h/5m", "topk(10, sum by (pod) (rate(c[5m])))"),
    ("24h/5m", "bottomk(5, c)"),
    ("1h/15s", "topk by (pod) (1, rate(c[5m]))"),
    ("now", "topk(10, rate(c[5m]))"),
    ("1h/15s", 'count_values("v", g)'),
    ("now", 'count_values("v", c)'),
    ("24h/60s", 'count_values("v", round(g, 10))'),
    ("24h/60s", "quantile(0.99, rate(m[5m]))"),
    ("24h/60s", "quantile by (job) (0.5, g)"),
    ("1h/15s", "quantile by (pod) (0.5, rate(c[5m]))"),
    *(("24h/60s", f"{name}_over_time(g[10m])") for name in OVER_TIME),
    ("24h/15m", "quantile_over_time(0.9, g[1h])"),
    ("24h/60s", "quantile_over_time(0.9, g[10m])"),
    ("24h/15m", "absent_over_time(g[10m])"),
    ("1h/15s", "avg_over_time(c[5m])"),
    ("24h/15m", "max_over_time(m[1h])"),
    ("24h/15m", "sum(increase(c[1d]))"),
    ("now", "sum(increase(m[1d]))"),
    ("now", "avg_over_time(m[1d])"),
    ("now", "quantile_over_time(0.95, m[1d])"),
    *(("24h/60s", f'{name}(m{{job="job3"}}[5m])') for name in COUNTED),
    ("24h/60s", "deriv(g[10m])"),
    ("24h/60s", "changes(g[10m])"),
    ("24h/5m", "predict_linear(g[1h], 14400)"),
    ("1h/15s", "predict_linear(c[5m], 3600)"),
    ("24h/5m", "holt_winters(g[10m], 0.5, 0.5)"),
    ("24h/60s", "absent(nothing)"),
    ("24h/60s", 'absent(c{pod="app0-05x000"})'),
    ("1h/15s", "histogram_quantile(0.99, sum by (le) (rate(lat_bucket[5m])))"),
    ("24h/60s", "histogram_quantile(0.99, sum by (le) (rate(lat_bucket[5m])))"),
    ("24h/60s", "histogram_quantile(0.9, sum by (le, handler) (rate(lat_bucket[5m])))"),
    ("24h/5m", "histogram_quantile(0.9, rate(lat_bucket[5m]))"),
    ("24h/60s", 'sum(rate(lat_bucket{le="0.1"}[5m])) / sum(rate(lat_bucket{le="+Inf"}[5m]))'),
    ("1h/15s", f"{RATE} / c"),
    ("24h/5m", f"sum by (pod) ({RATE}) / on(pod) sum by (pod) (c)"),
    ("1h/15s", f"{RATE} * on(namespace, pod) group_left(node) pod_info"),
    ("24h/5m", f"sum by (node) ({RATE} * on(namespace, pod) group_left(node) pod_info)"),
    ("24h/5m", "sum by (node) (c * on(pod) group_left(node) max by (pod, node) (pod_info))"),
    ("now", f"sum by (node) ({RATE} * on(namespace, pod) group_left(node) pod_info)"),
    ("24h/5m", "c * on(namespace) group_left(version) build_info"),
    ("24h/5m", "sum by (version) (rate(c[5m]) * on(namespace) group_left(version) build_info)"),
    ("24h/5m", "count(c) by (namespace) / on(namespace) build_info"),
    ("24h/5m", 'c and on(pod) pod_info{node="node3"}'),
    ("24h/5m", 'c unless on(pod) pod_info{node=~"node[0-9]"}'),
    ("24h/60s", 'g{mode="mode1"} or g{mode="mode2"}'),
    ("1h/15s", "c or pod_info"),
    ("24h/60s", "g > 10"),
    ("24h/60s", "g > bool 10"),
    ("24h/60s", "count(g > bool 10)"),
    ("24h/60s", "sum(g > 0) or vector(0)"),
    ("1h/15s", "c > bool on(namespace, pod) group_left pod_info"),
    ("24h/5m", "max_over_time(rate(m[5m])[59m30s:1m])"),
    ("24h/15m", "max_over_time(sum by (job) (rate(m[5m]))[59m30s:1m])"),
    ("24h/60s", "avg_over_time(sum(rate(m[5m]))[29m30s:])"),
    ("24h/15m", "quantile_over_time(0.9, rate(c[5m])[29m30s:1m])"),
    ("now", "max_over_time(rate(m[5m])[23h58m:5m])"),
    ("24h/5m", 'label_replace(c, "app", "$1", "pod", "(app[0-9]+)-.*")'),
    ("24h/5m", 'sum by (app) (label_replace(rate(c[5m]), "app", "$1", "pod", "(app[0-9]+)-.*"))'),
    ("now", 'label_replace(many, "half", "$1", "id", "(...).*")'),
    ("24h/5m", 'count(label_join(c, "all", "/", "namespace", "pod"))'),
    ("now", "sort(c)"),
    ("now", "sort_desc(sum by (pod) (rate(c[5m])))"),
    ("24h/60s", "clamp(g, -5, 5)"),
    ("24h/60s", "clamp_min(g, 0)"),
    ("24h/60s", "round(abs(g), 0.5)"),
    ("24h/60s", "time() - timestamp(g)"),
    ("24h/60s", "hour() + vector(1)"),
    ("24h/60s", "day_of_week(m{job='job3'} * 1000)"),
    ("24h/60s", "days_in_month(g * 1e6)"),
    ("24h/60s", "month(timestamp(g))"),
    ("24h/60s", "g - g offset 1h"),
    ("24h/5m", "sum(rate(c[5m])) / sum(rate(c[5m] offset 1h))"),
    ("24h/60s", "g / g @ end()"),
    ("1h/15s", "rate(m[5m]) and on(number) topk(5, rate(m[1h] @ end()))"),
    ("24h/5m", 'count(c{pod=~".*1.*"})'),
    ("24h/5m", 'c{pod=~"app1-.*"}'),
    ("1h/15s", f'sum(rate(c{{pod=~"{PODS}"}}[5m]))'),
    ("24h/5m", f'count(c{{pod!~"{PODS}"}})'),
    ("24h/5m", 'sum(c{pod!~"app[0-9]-.*",namespace!="ns3"})'),
    ("24h/5m", 'sum(c{pod=~"(?i)APP1.*X01.*"})'),
    ("now", 'many{id="054321"}'),
    ("1h/15s", 'many{id="054321"}'),
    ("now", 'many{id=~"0543.*"}'),
    ("now", 'count(many{id=~".*77.*"})'),
    ("now", 'sum by (zone) (many{shard!~"s1.*"})'),
    ("now", "sum by (shard) (rate(many[5m]))"),
    ("now", "count by (id) (many)"),
    ("now", "topk(5, many)"),
    ("now", "count(count by (shard, zone) (many))"),
    ("now", "many * on(id) group_left many"),
    ("now", "many and on(id) many"),
    ("now", "many > 1000050"),
    ("now", "max by (id) (many)"),
    ("now", "sort_desc(many)"),
    ("now", "count({__name__=~'.+'})"),
    ("now", "count by (__name__) ({__name__!=''})"),
    ("24h/5m", "scalar(sum(g)) * g"),
    ("24h/60s", "sum(rate(m[5m])) / count(m) * 100 > 3"),
    ("24h/5m", "stddev_over_time(rate(m[5m])[29m30s:1m])"),
    ("24h/5m", "sgn(deriv(g[30m])) * ceil(sqrt(abs(g)))"),
    ("24h/60s", "1 - avg by (instance) (rate(m[1m])) / 100"),
    ("24h/60s", "sum by (job) (rate(m[5m])) > 2 * on(job) group_left sum by (job) (rate(m[1h]))"),
]
BROWSED = {
    "/series c": ("/api/v1/series", {"match[]": "c"}),
    "/series one of many": ("/api/v1/series", {"match[]": 'many{id="054321"}'}),
    "/series many": ("/api/v1/series", {"match[]": "many"}),
    "/series {pod=~app1-}": ("/api/v1/series", {"match[]": '{pod=~"app1-.*"}'}),
    "/labels": ("/api/v1/labels", {}),
    "/labels of c": ("/api/v1/labels", {"match[]": "c"}),
    "/labels of two": ("/api/v1/labels", {"match[]": ['c{namespace="ns1"}', "many"]}),
    "/label/pod/values": ("/api/v1/label/pod/values", {}),
    "/label/pod/values of c": ("/api/v1/label/pod/values", {"match[]": 'c{namespace="ns1"}'}),
    "/label/id/values": ("/api/v1/label/id/values", {}),
    "/label/__name__/values": ("/api/v1/label/__name__/values", {}),
}
RULES = [
    f'{fold} by (mode) (g{{job="job{job}"}}) > bool {limit}'
    for fold in ("sum", "avg", "max", "min", "count")
    for job in range(10)
    for limit in (0, 3)
]

Request = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Asked:
    """What one server took, and what it answered."""

    best_s: float = math.inf
    rise_mb: float = 0.0
    answer: Any = None

    def ask(self, served: Served, requests: list[Request]) -> None:
        """Ask once more."""
        before = served.process.memory_info().rss
        began = time.perf_counter()
        for path, params in requests:
            reply = served.client.get(path, params=params)
        self.best_s = min(self.best_s, time.perf_counter() - began)
        self.rise_mb = max(self.rise_mb, (served.process.memory_info().rss - before) / 1e6)
        self.answer = reply.json()


def requests_of(data: DashboardSet, smoothing: str) -> dict[str, list[Request]]:
    """Give what is asked, by its name; `smoothing` is what the server calls Holt and Winters' function."""
    asked: dict[str, list[Request]] = {}
    for span, query in SHAPES:
        name, asks = f"{span:8}{query}", query.replace("holt_winters", smoothing)
        if span == "now":
            asked[name] = [("/api/v1/query", {"query": asks, "time": data.end_s})]
        else:
            length, step = SPANS[span]
            start = max(data.end_s - length, data.start_s)
            params = {"query": asks, "start": start, "end": data.end_s, "step": step}
            asked[name] = [("/api/v1/query_range", params)]
    for name, (path, params) in BROWSED.items():
        asked[name] = [(path, {**params, "start": data.start_s, "end": data.end_s})]
    asked["100 rules"] = [("/api/v1/query", {"query": query, "time": data.end_s}) for query in RULES]
    return asked


def difference(ours: Any, theirs: Any) -> str:
    """Say the first thing in which two answers differ, or nothing."""
    if ours.get("status") != theirs.get("status"):
        return f"{ours.get('error', 'answered')} <> {theirs.get('error', 'answered')}"[:160]
    mine, other = ours.get("data"), theirs.get("data")
    if not isinstance(mine, dict):
        ordered = [sorted(each, key=str) for each in (mine or [], other or [])]
        return "" if ordered[0] == ordered[1] else f"{len(mine)} <> {len(other)} names"
    if mine["resultType"] not in ("matrix", "vector"):
        return "" if mine == other else "another scalar"
    found, wanted = (flat(each["result"]) for each in (mine, other))
    if found.keys() != wanted.keys():
        return f"other series: {len(found.keys() - wanted.keys())} more, {len(wanted.keys() - found.keys())} fewer"
    return next((said for labels in wanted if (said := differ(labels, found[labels], wanted[labels]))), "")


def flat(result: list[Any]) -> dict[tuple[tuple[str, str], ...], list[Any]]:
    """Give the points by the labels."""
    return {tuple(sorted(one["metric"].items())): one.get("values") or [one["value"]] for one in result}


def differ(labels: Any, found: list[Any], wanted: list[Any]) -> str:
    """Say where the points of one series differ."""
    if [at for at, _ in found] != [at for at, _ in wanted]:
        return f"{dict(labels)}: {len(found)} <> {len(wanted)} points"
    for (at, one), (_, two) in zip(found, wanted, strict=True):
        if one != two and not (math.isclose(float(one), float(two), rel_tol=RELATIVE, abs_tol=ABSOLUTE)):
            return f"{dict(labels)} at {at}: {one} <> {two}"
    return ""


def fill(folder: Path, options: argparse.Namespace) -> DashboardSet:
    """Give both their samples, unless the folder has them."""
    kept = folder / "end"
    is_new = not kept.exists()
    end_s = int(time.time()) // 60 * 60 if is_new else int(kept.read_text())
    data = DashboardSet(end_s, options.hours, options.scale)
    if is_new:
        (folder / "ops").mkdir(parents=True)
        asyncio.run(data.write_own(folder / "own" / "telemetry"))
        data.write_blocks(folder / "peer")
        kept.write_text(str(end_s))
    data.panels.clear()
    return data


def main() -> None:
    """Fill both, ask both in turn, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--folder", type=Path, help="keep the samples here, and use them again")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--only", default="", help="queries whose name holds this text")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="metrics-bench-") as name:
        folder = options.folder or Path(name) / "data"
        data = fill(folder, options)
        with own(folder) as ours, peer(folder) as theirs:
            settle(ours)
            asked = [requests_of(data, name) for name in ("double_exponential_smoothing", "holt_winters")]
            for shape, requests in asked[0].items():
                if options.only not in shape:
                    continue
                mine, other = Asked(), Asked()
                for _ in range(options.rounds):
                    mine.ask(ours, requests)
                    other.ask(theirs, asked[1][shape])
                print(
                    f"{other.best_s / mine.best_s:6.2f} x  own {mine.best_s * 1e3:8.1f} ms +{mine.rise_mb:4.0f} MB  "
                    f"Prometheus {other.best_s * 1e3:8.1f} ms  {shape[:96]}  {difference(mine.answer, other.answer)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
