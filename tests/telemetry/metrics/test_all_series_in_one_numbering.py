"""The census answers as one who looks at each series does, while series come and live longer."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry import Matcher, MatchOp
from holdfast.telemetry.metrics.indexing import Census, Group, census
from holdfast.telemetry.metrics.indexing.loading import SeriesRow
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NAMES = ("hits", "up", "größe", "")
JOB = Matcher("job", MatchOp.EQUAL, "j1")


class Tenant:
    """Groups with a census that follows them, and plain rows to compare with."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.groups: dict[str, Group] = {}
        self.rows: dict[int, SeriesRow] = {}
        self.census = Census(())

    def announce(self, count: int) -> None:
        """Let new series come, and known ones live longer."""
        by_name: dict[str, list[SeriesRow]] = {}
        for _ in range(count):
            row = self._longer() if self.rows and self.chance.random() < 0.4 else self._new()
            self.rows[row.identity] = row
            by_name.setdefault(row.name, []).append(row)
        for name, rows in by_name.items():
            group = self.groups.setdefault(name, Group(name))
            self.census.follow(group, group.note(rows))

    def _new(self) -> SeriesRow:
        chance, name = self.chance, self.chance.choice(NAMES)
        pairs = {"__name__": name, "job": f"j{chance.randrange(3)}", "n": str(chance.randrange(50))}
        for label in chance.sample(("a", "zone", "_"), chance.randrange(3)):
            pairs[label] = chance.choice(("x", "y", "ä"))
        first_ms = chance.randrange(10) * DAY_MS
        return SeriesRow(name, labels_of(pairs), chance.getrandbits(62), first_ms, first_ms + chance.randrange(DAY_MS))

    def _longer(self) -> SeriesRow:
        row = self.chance.choice(list(self.rows.values()))
        return row._replace(last_ms=row.last_ms + self.chance.randrange(3 * DAY_MS))

    def matching(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> list[SeriesRow]:
        """Look at each series."""
        return [
            row
            for row in self.rows.values()
            if row.first_ms <= end_ms and row.last_ms + ANNOUNCE_EVERY_MS >= start_ms
            if all(fits(matcher, dict(row.labels).get(matcher.label, "")) for matcher in matchers)
        ]


def fits(matcher: Matcher, value: str) -> bool:
    """Decide as Prometheus does."""
    is_expression = matcher.op in {MatchOp.MATCHES, MatchOp.NOT_MATCHES}
    is_fit = re.fullmatch(matcher.value, value) is not None if is_expression else value == matcher.value
    return is_fit is (matcher.op in {MatchOp.EQUAL, MatchOp.MATCHES})


QUESTIONS = (
    (),
    (JOB,),
    (Matcher("__name__", MatchOp.MATCHES, "hits|up"), Matcher("zone", MatchOp.NOT_EQUAL, "")),
    (Matcher("__name__", MatchOp.MATCHES, "h.*"),),
    (Matcher("__name__", MatchOp.NOT_EQUAL, "hits"), Matcher("a", MatchOp.EQUAL, "")),
    (Matcher("n", MatchOp.NOT_MATCHES, "[1-4].*"), JOB),
    (Matcher("nothing", MatchOp.EQUAL, "x"),),
    (Matcher("nothing", MatchOp.EQUAL, ""), Matcher("_", MatchOp.MATCHES, ".+")),
)
SPANS = ((-1, 99 * DAY_MS), (0, 0), (3 * DAY_MS, 4 * DAY_MS), (90 * DAY_MS, 99 * DAY_MS))


@pytest.mark.parametrize("seed", range(4))
async def test_as_one_who_looks_at_each_series(seed: int):
    tenant = Tenant(seed)
    for _ in range(6):
        tenant.announce(tenant.chance.randrange(1, 60))
        for matchers in QUESTIONS:
            for start_ms, end_ms in SPANS:
                await compare(tenant, matchers, start_ms, end_ms)


async def compare(tenant: Tenant, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> None:
    """Compare everything that may be asked."""
    expected = tenant.matching(matchers, start_ms, end_ms)
    places = await tenant.census.choose(matchers, start_ms, end_ms)
    assert sorted(tenant.census.ids.live[places].tolist()) == sorted(row.identity for row in expected)
    assert await tenant.census.label_names(places) == {name for row in expected for name, _ in row.labels}
    for label in ("__name__", "job", "n", "zone", "nothing"):
        values = {value for row in expected for name, value in row.labels if name == label}
        assert await tenant.census.label_values(label, places) == sorted(values), label
    chosen = await tenant.census.chosen(matchers, start_ms, end_ms)
    by_id = sorted(expected, key=lambda row: row.identity)
    assert chosen.ids.tolist() == [row.identity for row in by_id]
    assert chosen.labels == [row.labels for row in by_id]
    assert chosen.first_ms.tolist() == [row.first_ms for row in by_id]
    assert chosen.last_ms.tolist() == [row.last_ms for row in by_id]
    ever = tenant.matching(matchers, -1, 2**62)
    assert chosen.names == tuple(sorted({row.name for row in ever}))
    if len(chosen.names) == 1:  # what is remembered of the metric's samples serves
        assert chosen.family == chosen.names[0]
        assert chosen.is_whole is (len(ever) == len(tenant.groups[chosen.family]))
    elif chosen.names:
        assert chosen.is_whole is (len(ever) == len(tenant.rows))


@pytest.mark.parametrize("seed", range(4))
async def test_spans_that_lie_close_are_told_apart(seed: int):
    tenant = Tenant(seed)
    for _ in range(3):
        tenant.announce(8)
        ends = [row.first_ms + by for row in tenant.rows.values() for by in (-1, 0, 1)]
        begins = [row.last_ms + ANNOUNCE_EVERY_MS + by for row in tenant.rows.values() for by in (-1, 0, 1)]
        start_ms, end_ms = 0, 5 * DAY_MS
        for _ in range(200):
            if tenant.chance.random() < 0.5:
                start_ms = tenant.chance.choice(begins)
            else:
                end_ms = tenant.chance.choice(ends)
            for matchers in ((), (JOB,)):
                places = await tenant.census.choose(matchers, start_ms, end_ms)
                expected = tenant.matching(matchers, start_ms, end_ms)
                assert sorted(tenant.census.ids.live[places].tolist()) == sorted(row.identity for row in expected)
            values = {value for row in expected for name, value in row.labels if name == "n"}
            assert await tenant.census.label_values("n", places) == sorted(values)


async def test_a_census_of_what_is_known_already_is_the_same():
    tenant = Tenant(7)
    tenant.announce(200)
    later = Census(tenant.groups.values())
    for one in (tenant.census, later):
        assert (await one.chosen((JOB,), 0, 9 * DAY_MS)).ids.tolist() == sorted(
            row.identity for row in tenant.matching((JOB,), 0, 9 * DAY_MS)
        )


async def test_many_series_are_taken_in_by_and_by_and_columns_do_not_pile_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(census, "_AT_ONCE", 7)
    monkeypatch.setattr(census, "_COLUMNS", 2)
    tenant = Tenant(3)
    tenant.announce(100)
    await tenant.census.prepare(5)
    everyone = await tenant.census.choose((), -1, 2**62)
    for label in ("job", "n", "zone", "a", "job"):
        values = {value for row in tenant.rows.values() for name, value in row.labels if name == label}
        assert await tenant.census.label_values(label, everyone) == sorted(values)
        assert len(tenant.census._columns) <= 2


async def test_what_is_wrong_with_an_expression_is_told():
    tenant = Tenant(1)
    tenant.announce(5)
    with pytest.raises(InvalidError, match=r"^error parsing regexp: missing closing \): `\(`"):
        await tenant.census.choose((Matcher("job", MatchOp.MATCHES, "("),), 0, 1)


async def test_nothing_is_chosen_of_nobody():
    nobody = Census(())
    assert len(await nobody.choose((), 0, 1)) == 0
    assert await nobody.label_names(np.zeros(0, np.int64)) == set()
    assert await nobody.label_values("job", np.zeros(0, np.int64)) == []
    chosen = await nobody.chosen((JOB,), 0, 1)
    assert (chosen.ids.tolist(), chosen.labels, chosen.names) == ([], [], ())
