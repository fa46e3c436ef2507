"""Members of one kind share keys: each has one owner, changes move few, and what a dead one had is taken over."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.members import Membership, owner_of
from holdfast.kernel.members.metrics import MemberMetrics
from holdfast.kernel.sql import open_postgres

CHILD = Path(__file__).with_name("beating_until_killed.py")
KEYS = [f"target-{number}" for number in range(300)]


@pytest.fixture
def migrations():
    return ("holdfast.kernel.members.migrations",)


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=8), st.data())
def test_a_key_keeps_its_owner_while_that_is_there(members, data):
    key = data.draw(st.text(max_size=20))
    owner = owner_of(key, members)
    gone = data.draw(st.sampled_from(sorted(members)))
    assert owner in members
    if gone != owner:
        assert owner_of(key, members - {gone}) == owner


def test_members_get_about_the_same():
    members = {f"m{number}" for number in range(4)}
    counts = [sum(owner_of(key, members) == member for key in KEYS) for member in members]
    assert min(counts) > 50
    assert owner_of("x", ()) is None


async def test_who_has_a_database_alone_has_everything(db):
    member = Membership(db, SystemClock(), "ingest")
    if db.dialect == "postgresql":
        assert not member.owns("x")  # nothing before it was seen who else is there
        await member.beat()
    assert member.owns("x")


@pytest.mark.service
async def test_two_members_have_each_key_once_and_one_that_leaves_gives_its_keys_back(postgres_database_url):
    dbs = [open_postgres(postgres_database_url) for _ in range(2)]
    one, other = (Membership(db, SystemClock(), "ingest", beat_s=0.05) for db in dbs)
    another_kind = Membership(dbs[0], SystemClock(), "probe")
    news = []
    one.watch(lambda: news.append(len(one.members)))
    running = asyncio.create_task(other.run())
    try:
        await another_kind.beat()
        async with asyncio.timeout(20):
            while len(one.members) < 2 or len(other.members) < 2:
                await one.beat()
        assert [one.owns(key) + other.owns(key) for key in KEYS] == [1] * len(KEYS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await one.beat()
        assert all(one.owns(key) for key in KEYS)
        assert news[-2:] == [2, 1]
    finally:
        running.cancel()
        for db in dbs:
            await db.close()


@pytest.mark.service
async def test_what_a_killed_process_had_is_taken_over(postgres_database_url):
    db = open_postgres(postgres_database_url)
    member = Membership(db, SystemClock(), "ingest", beat_s=0.1, lease_s=1.0)
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), postgres_database_url, "ingest", stdout=asyncio.subprocess.PIPE
    )
    running = asyncio.create_task(member.run())
    try:
        async with asyncio.timeout(60):
            while (await child.stdout.readline()).strip() != b"2":
                pass
            while len(member.members) < 2:
                await member.beat()
            assert not all(member.owns(key) for key in KEYS)
            child.send_signal(signal.SIGKILL)
            await child.wait()
            while not all(member.owns(key) for key in KEYS):  # noqa: ASYNC110 -- the lease of a dead process
                await asyncio.sleep(0.05)
        assert member.members == {member.id}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if child.returncode is None:
            child.kill()
            await child.wait()
        await db.close()


class Away:
    """A database that does not answer."""

    dialect = "postgresql"

    async def write(self, work):
        """Fail."""
        raise UnavailableError("the database does not answer")


@pytest.mark.service
async def test_members_stay_while_the_database_is_away(postgres_database_url):
    db, metrics = open_postgres(postgres_database_url), MemberMetrics(registry := CollectorRegistry())
    member = Membership(db, SystemClock(), "ingest", metrics=metrics)
    await member.beat()
    await db.close()
    member._db = Away()
    await member.beat()
    assert member.owns("x")
    assert registry.get_sample_value("holdfast_member_beat_failures_total", {"kind": "ingest"}) == 1
