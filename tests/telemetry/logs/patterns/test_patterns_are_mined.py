"""Lines become patterns as they arrive; their counts are kept, read back, and carry on after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fixtures.logs import SHOP, Line, arrival
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.clock import FakeClock, SystemClock
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.logs import SCHEMA as LOGS
from holdfast.telemetry.logs import LogSink, LogSource
from holdfast.telemetry.logs.api.surface import surface
from holdfast.telemetry.logs.patterns import SCHEMA, ClusterTree, PatternKeeping, PatternMiner, mask, shapes_of
from holdfast.telemetry.logs.patterns.changes import RateWatch
from holdfast.telemetry.logs.patterns.mining import LEARNING_S, PatternKey
from holdfast.telemetry.logs.patterns.routes import LokiPatternRoutes, routes
from holdfast.telemetry.logs.patterns.wiring import Mining
from holdfast.telemetry.logs.pipeline.patterns import parse_pattern
from holdfast.web.assembly import build_app

S = 10**9
MASKED = [
    ("user 42 logged in from 10.0.0.7:5123", "user <_> logged in from <_>"),
    ("took 12.5ms", "took <_>ms"),
    ("order 3f2b8c1e-9a4d-4c6b-8f3e-1a2b3c4d5e6f done", "order <_> done"),
    ("at 0xdeadbeef commit 9fceb02d0ae598e9", "at <_> commit <_>"),
    ("2026-01-31T12:00:00.123Z ERROR db down", "<_> ERROR db down"),
    ("Jan  5 09:08:07 web sshd[991]: Accepted", "<_> web sshd[<_>]: Accepted"),
    ("key 'orders:1' is \"gone away\"", "key <_> is <_>"),
    ("from fe80::1:2:3 port 22", "from <_> port <_>"),
    ('level=info msg="order placed" id=7', 'level=info msg="order placed" id=<_>'),
    ('{"ts": 1, "msg": "sent 3 mails", "to": "x"}', '<_>"msg": "sent <_> mails"<_>'),
    (
        '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /a/7 HTTP/1.1" 200 5',
        '<_> - - [<_>] "GET /a/<_> HTTP/<_>" <_> <_>',
    ),
    ("it's 5 o'clock, isn't it", "it's <_> o'clock, isn't it"),
    ("", ""),
]


@pytest.mark.parametrize(("line", "masked"), MASKED)
def test_what_changes_is_masked(line, masked):
    assert mask(line) == masked


@pytest.mark.parametrize("line", [line for line, _ in MASKED if line] + ["x" * 5000 + "1", "a\udcff 1"])
def test_a_pattern_is_a_filter_that_its_line_passes(line):
    assert parse_pattern(mask(line), is_filter=True).matches(line)


def test_a_hostile_line_is_masked_in_time_of_its_length():
    for line in ("1" * 10**6, '"' * 10**6, "a1-" * 10**6, ":" * 10**6, "'a" * 10**6, '{"msg":"' + "\\" * 10**6):
        assert len(mask(line)) < 4100


def test_shapes_are_lines_without_digits_and_first_lines_only():
    assert shapes_of(["a1b2", "boom\n  at x", "", "7"]) == [b"ab", b"boom", b"", b""]


def test_words_that_differ_become_gaps_and_the_pattern_keeps_its_identity():
    tree = ClusterTree()
    first, is_new = tree.add("cannot reach host alpha now", "s")
    second, is_second_new = tree.add("cannot reach host beta now", "t")
    assert (is_new, is_second_new, first is second) == (True, False, True)
    assert (first.text, first.sample) == ("cannot reach host <_> now", "s")


def test_the_pattern_that_was_seen_longest_ago_makes_room():
    tree = ClusterTree(most=2)
    one, _ = tree.add("alpha starts", "")
    two, _ = tree.add("beta stops here", "")
    tree.add("alpha starts", "")
    tree.add("gamma waits for you", "")
    assert one.identity in tree.identities
    assert two.identity not in tree.identities
    assert len(tree) == 2


class Room:
    def __init__(self, store, clock):
        self.source = LogSource(store)
        self.sink = LogSink(store, watches=(self.source.directory,), clock=clock)
        self.keeping = PatternKeeping(store)
        self.clock = clock
        self.now_s = int(clock.now().timestamp())
        self.restart()

    def restart(self):
        self.mining = Mining(PatternMiner(self.clock, CollectorRegistry()), self.keeping, self.clock)

    async def log(self, *bodies, labels=SHOP, ago_s=60):
        at_ns = (self.now_s - ago_s) // 10 * 10 * S
        lines = [Line(at_ns + number, body, labels) for number, body in enumerate(bodies)]
        self.sink.feed.follow(self.mining.miner)
        await self.sink.append(DEFAULT_TENANT, arrival(self.sink, lines))
        self.sink.feed.leave(self.mining.miner)
        await self.mining.load()
        await self.mining.write()

    def client(self):
        wiring = Wiring(
            "logs",
            surfaces=(surface((LokiPatternRoutes(self.keeping, self.source),)),),
            routers=(routes(self.keeping, self.clock),),
            permissions=(Permission("logs.read", Role.VIEWER, "Read."),),
        )
        app = build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
async def room(store):
    await store.register(LOGS, SCHEMA)
    return Room(store, SystemClock())  # the engine drops what has expired by its own clock


async def test_loki_is_answered_in_its_shape(room):
    await room.log("level=error timeout of order 1", "level=error timeout of order 2", "level=info ok 1")
    await room.log("level=error timeout of order 3", ago_s=20)
    span = {"start": str(room.now_s - 100), "end": str(room.now_s)}
    async with room.client() as client:
        answer = await client.get("/loki/api/v1/patterns", params={"query": '{service_name="shop"}', **span})
        errors = '{service_name="shop", detected_level="error"}'
        fewer = await client.get("/loki/api/v1/patterns", params={"query": errors, "step": "5m", **span})
        none = await client.get("/loki/api/v1/patterns", params={"query": '{service_name="x"}', **span})
    first, then = (room.now_s - 60) // 10 * 10, (room.now_s - 20) // 10 * 10
    assert answer.json() == {
        "status": "success",
        "data": [
            {"pattern": "level=error timeout of order <_>", "level": "error", "samples": [[first, 2], [then, 1]]},
            {"pattern": "level=info ok <_>", "level": "info", "samples": [[first, 1]]},
        ],
    }
    assert [sum(lines for _, lines in each["samples"]) for each in fewer.json()["data"]] == [3]
    assert none.json()["data"] == []


async def test_our_own_list_has_a_sample_and_a_trend(room):
    await room.log("timeout of order 1", "timeout of order 2")
    async with room.client() as client:
        answer = await client.get("/api/v1/logs/patterns", params={"service": "shop"})
        wrong = await client.get("/api/v1/logs/patterns", params={"end": "1970-01-01T00:00:00Z"})
    (found,) = answer.json()["patterns"]
    assert (found["sample"], found["lines"], found["filter"]) == (
        "timeout of order 1",
        2,
        "|> `timeout of order <_>`",
    )
    assert [point["lines"] for point in found["trend"]] == [2]
    assert wrong.status_code == 422


async def test_patterns_survive_a_restart_and_what_is_new_afterwards_is_told(room):
    await room.log("host alpha is away 1", "host beta is away 2", ago_s=LEARNING_S + 60)
    room.restart()
    await room.log("host gamma is away 3", "disk full on 7", "disk full on 8")
    (event,) = room.mining.take_news()
    assert (event.kind, event.subject, event.data["pattern"]) == (
        "logs.pattern_new",
        "service/shop",
        "disk full on <_>",
    )
    async with room.client() as client:
        found = (await client.get("/api/v1/logs/patterns")).json()["patterns"]
    assert {each["pattern"]: each["lines"] for each in found} == {"host <_> is away <_>": 3, "disk full on <_>": 2}


async def test_the_first_lines_of_a_service_are_no_news(room):
    await room.log("one", "two words", "three words here")
    assert room.mining.take_news() == []


async def test_a_clock_that_was_ahead_keeps_no_pattern_from_being_told(store):
    await store.register(LOGS, SCHEMA)
    room = Room(store, FakeClock(datetime.now(UTC)))
    room.clock.jump(timedelta(hours=1))
    await room.log("one", ago_s=0)
    room.clock.jump(timedelta(hours=-1))
    await room.log("two words")
    await room.clock.advance(LEARNING_S + 1)
    await room.log("three words here")
    assert [event.data["pattern"] for event in room.mining.take_news()] == ["three words here"]


async def test_a_flood_of_shapes_is_bounded(room):
    await room.log(*(f"{'ab'[n % 2]}{chr(97 + n % 26)} {n * 7919:x}x" * 2 for n in range(3000)))
    state = room.mining.miner.tenants[DEFAULT_TENANT]
    assert sum(len(mine.tree) for mine in state.mines.values()) <= 300


def test_a_rate_that_jumps_is_told_once_and_one_that_stays_never():
    watch, key, calm = RateWatch(), PatternKey("shop", "error", 1), PatternKey("shop", "info", 2)
    told = []
    for minute in range(60):
        watch.add(DEFAULT_TENANT, {key: 2 if minute < 40 else 60, calm: 100})
        told += [(minute, change) for change in watch.step()]
    ((minute, change),) = told
    assert (minute, change.key, change.before, change.now) == (40, key, 2.0, 13.6)


def test_a_pattern_that_stops_is_told():
    watch, key = RateWatch(), PatternKey("shop", "info", 1)
    told = []
    for minute in range(50):
        watch.add(DEFAULT_TENANT, {key: 10 if minute < 30 else 0})
        told += watch.step()
    assert [(change.before, change.now) for change in told] == [(10.0, 2.0)]
