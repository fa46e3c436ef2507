"""How fast queries are parsed, printed and laid out, against an aim of 10,000 a second.

Run: python benchmarks/promql_parse.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from holdfast.telemetry.metrics.promql import expr_to_json, parse, prettify, print_expr

QUERIES = (
    "up",
    "a / on (job) group_left b > 0.5",
    'sum by (job) (rate(http_requests_total{job="api",code=~"5.."}[5m]))',
    'histogram_quantile(0.99, sum by (le) (rate(request_seconds_bucket{job="api"}[5m])))',
    '100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100',
    'predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"}[6h], 4 * 3600) < 0 and on (instance) up == 1',
)
ROUNDS = 7
TIMES = 200


def per_second(work: Callable[[Any], object], inputs: list[Any]) -> float:
    """Give the median of a few rounds."""
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(TIMES):
            for each in inputs:
                work(each)
        rates.append(TIMES * len(inputs) / (time.perf_counter() - began))
    return statistics.median(rates)


def main() -> None:
    """Print one line for each kind of work."""
    trees = [parse(query) for query in QUERIES]
    print(f"parse           {per_second(parse, list(QUERIES)):>9,.0f} queries/s")
    print(f"print           {per_second(print_expr, trees):>9,.0f} queries/s")
    print(f"format          {per_second(prettify, trees):>9,.0f} queries/s")
    print(f"to JSON         {per_second(expr_to_json, trees):>9,.0f} queries/s")


if __name__ == "__main__":
    main()
