"""What one call to a logger costs, beside the loggers that people use for the same: a line of JSON into a file.

Each contender writes time, level, event, logger, service and three fields of the call, and hands each line to the
kernel before the call returns. structlog is set up for speed as its documentation says, with and without orjson. Rounds
take turns, so that a busy machine hits all alike; the cost is the median round. The ratio is ours to each peer.
Run: make bench BENCH=benchmarks/journal_overhead.py
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import loguru
import orjson
import structlog

from holdfast import journal
from holdfast.journal.loggers import LIVE

ROUNDS = 15
CALLS = 4000
OURS = "holdfast.journal"
REQUEST = {"correlation_id": "0af7651916cd43dd8448eb211c80319c", "user_id": "u-1017"}

Call = Callable[[int], None]


class JsonFormatter(logging.Formatter):
    """The formatter that one writes for the standard library in five minutes."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of a record."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat()
        line = {"timestamp": moment, "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps({**line, "logger": record.name, "service": "orders", **record.fields})  # type: ignore[attr-defined] -- from extra


def start_journal(folder: Path) -> dict[str, Call]:
    journal.configure(service="orders", file=folder / "journal.log")
    log = journal.get_logger("shop.orders")

    def plain(number: int) -> None:
        log.info("order_placed", order_id=number, sku="SKU-1017", amount=12.5)

    return {"a line": plain, "a line in a request": plain, "a line below the level": lambda n: log.debug("x", n=n)}


def start_standard(folder: Path) -> dict[str, Call]:
    handler = logging.FileHandler(folder / "standard.log")
    handler.setFormatter(JsonFormatter())
    log = logging.getLogger("peer.standard")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.addHandler(handler)

    def plain(number: int) -> None:
        log.info("order_placed", extra={"fields": {"order_id": number, "sku": "SKU-1017", "amount": 12.5}})

    def inside(number: int) -> None:
        fields = {"order_id": number, "sku": "SKU-1017", "amount": 12.5, **REQUEST}
        log.info("order_placed", extra={"fields": fields})

    below: Call = lambda n: log.debug("x", extra={"fields": {"n": n}})  # noqa: E731 -- one of a table
    return {"a line": plain, "a line in a request": inside, "a line below the level": below}


def start_loguru(folder: Path) -> dict[str, Call]:
    loguru.logger.remove()
    loguru.logger.add(folder / "loguru.log", serialize=True, level="INFO")
    log = loguru.logger.bind(service="orders")

    def plain(number: int) -> None:
        log.info("order_placed", order_id=number, sku="SKU-1017", amount=12.5)

    return {"a line": plain, "a line in a request": plain, "a line below the level": lambda n: log.debug("x", n=n)}


def start_structlog(folder: Path, *, is_fast: bool) -> dict[str, Call]:
    renderer = structlog.processors.JSONRenderer(**({"serializer": orjson.dumps} if is_fast else {}))
    path = folder / ("structlog-orjson.log" if is_fast else "structlog.log")
    held = path.open("ab" if is_fast else "a")
    log = structlog.wrap_logger(
        structlog.BytesLogger(held) if is_fast else structlog.WriteLogger(held),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    ).bind(service="orders", logger="shop.orders")

    def plain(number: int) -> None:
        log.info("order_placed", order_id=number, sku="SKU-1017", amount=12.5)

    return {"a line": plain, "a line in a request": plain, "a line below the level": lambda n: log.debug("x", n=n)}


@contextlib.contextmanager
def bound(contender: str, what: str) -> object:
    """Bind what belongs to a request, as each contender does it; the standard library's call does it itself."""
    with contextlib.ExitStack() as stack:
        if what == "a line in a request":
            if contender == OURS:
                stack.enter_context(journal.bind(**REQUEST))
            elif contender.startswith("structlog"):
                stack.enter_context(structlog.contextvars.bound_contextvars(**REQUEST))
            elif contender == "loguru":
                stack.enter_context(loguru.logger.contextualize(**REQUEST))
        yield


def measure(contender: str, what: str, call: Call) -> float:
    """Give the microseconds of one call."""
    with bound(contender, what):
        began_s = time.perf_counter()
        for number in range(CALLS):
            call(number)
        return (time.perf_counter() - began_s) / CALLS * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contenders = {
            OURS: start_journal(folder),
            "structlog, orjson": start_structlog(folder, is_fast=True),
            "structlog": start_structlog(folder, is_fast=False),
            "standard library": start_standard(folder),
            "loguru": start_loguru(folder),
        }
        assert LIVE.current() is not None, "the journal is measured, not structlog behind it"
        rounds: dict[tuple[str, str], list[float]] = {}
        gc.disable()
        for _ in range(ROUNDS):
            for contender, calls in contenders.items():
                for what, call in calls.items():
                    rounds.setdefault((what, contender), []).append(measure(contender, what, call))
            gc.collect()
        for path in folder.iterdir():
            if not path.name.startswith("."):
                json.loads(path.read_text().splitlines()[-1])
        report({key: statistics.median(taken) for key, taken in rounds.items()})


def report(costs: dict[tuple[str, str], float]) -> None:
    print(
        f"{sys.version.split()[0]}, {ROUNDS} rounds of {CALLS} calls; microseconds per call, and ratio of ours to each"
    )
    for what in dict.fromkeys(what for what, _ in costs):
        print(f"\n{what}")
        ours = costs[what, OURS]
        for (_, contender), cost in sorted((pair for pair in costs.items() if pair[0][0] == what), key=lambda p: p[1]):
            print(f"  {contender:20} {cost:8.2f}   {ours / cost:5.2f}")
        fastest = min(cost for (kind, contender), cost in costs.items() if kind == what and contender != OURS)
        print(f"  ratio to the fastest peer: {ours / fastest:.2f}")


if __name__ == "__main__":
    main()
