"""Versions over a real database: what is heard and recorded becomes rows, and each deploy one event."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from fixtures.deploys import AT, MIGRATIONS, MINUTE, Shop
from holdfast.kernel.auth import Identity
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.permissions import Role
from holdfast.telemetry.versions import Recording
from holdfast.telemetry.versions import noting as notings
from holdfast.telemetry.versions import past as pasts
from holdfast.telemetry.versions.hearing import Heard
from holdfast.telemetry.versions.hints import RESOURCE, Telling

CI = Identity("token/ci", "ci", Role.RESPONDER, DEFAULT_TENANT)


@pytest.fixture
def migrations():
    return MIGRATIONS


@pytest.fixture
async def shop(db):
    return Shop(db)


async def test_the_first_version_is_a_baseline_and_the_next_one_a_deploy(shop):
    await shop.hear("1")
    assert await shop.told() == []
    await shop.hear("2")
    await shop.hear("2", "1")
    assert await shop.told() == ["seen 1>2"]
    (event,) = await shop.log.read(DEFAULT_TENANT, after=0)
    assert (event.service, event.data["trace_id"], event.data["instance"]) == ("orders", "ab" * 16, "pod-1")
    assert await shop.states() == {"2": "running", "1": "beside"}


async def test_versions_that_run_when_a_service_is_first_heard_are_all_baselines(shop):
    await shop.hear("1", "2")
    await shop.go_on(20, "1", "2")
    await shop.go_on(20, "1")
    assert await shop.told() == []
    assert await shop.states() == {"1": "running", "2": "ended"}


async def test_a_deploy_has_settled_when_the_older_one_is_silent(shop):
    await shop.go_on(3, "1")
    await shop.hear("2")
    await shop.go_on(4, "2")
    assert await shop.told() == ["seen 1>2"]
    await shop.go_on(3, "2")
    assert await shop.told() == ["seen 1>2", "settled 1>2"]
    assert await shop.states() == {"2": "running", "1": "ended"}
    await shop.go_on(60, "2")
    assert len(await shop.told()) == 2


async def test_a_version_that_falls_silent_was_rolled_back(shop):
    await shop.go_on(3, "1")
    await shop.go_on(3, "1", "2")
    await shop.go_on(7, "1")
    assert await shop.told() == ["seen 1>2", "rolled_back 2>1"]
    assert await shop.history() == ["1 running", "2 rolled_back>1", "1 replaced>2"]
    assert [each.is_rollback for each in await shop.ledger.deploys(DEFAULT_TENANT)] == [True, False, False]


async def test_an_ended_version_that_comes_back_is_a_roll_back(shop):
    await shop.go_on(3, "1")
    await shop.go_on(7, "2")
    await shop.go_on(1, "1")
    assert await shop.told() == ["seen 1>2", "settled 1>2", "seen 2>1"]
    await shop.go_on(6, "1")
    assert await shop.told() == ["seen 1>2", "settled 1>2", "seen 2>1", "rolled_back 2>1"]


async def test_a_version_that_is_deployed_again_is_a_deploy_of_its_own(shop):
    begun = []
    for version in ("1", "2", "1", "2"):
        await shop.go_on(8, version)
        begun.append((await shop.ledger.deploys(DEFAULT_TENANT))[0].began_at)
    deploys = await shop.ledger.deploys(DEFAULT_TENANT)
    assert await shop.history() == ["2 running", "1 replaced>2", "2 rolled_back>1", "1 replaced>2"]
    assert [each.began_at for each in reversed(deploys)] == begun == sorted(set(begun))
    assert [each.from_version for each in deploys] == ["1", "2", "1", None]
    assert all(each.settled_at and each.first_seen == each.began_at for each in deploys)
    assert all(each.began_at < each.last_seen < each.ended_at for each in deploys[1:])
    told = ["seen 1>2", "settled 1>2", "seen 2>1", "rolled_back 2>1", "seen 1>2", "settled 1>2"]
    assert await shop.told() == told
    since = await shop.ledger.deploys(DEFAULT_TENANT, service="orders", since=begun[1], limit=2)
    assert [each.began_at for each in since] == begun[:1:-1]


async def test_what_is_past_is_kept_for_so_many_and_so_long(shop, monkeypatch):
    monkeypatch.setattr(pasts, "MOST_PAST", 3)
    for number in range(8):
        await shop.ledger.record(CI, Recording("mail", "12"[number % 2], by=str(number)))
        await shop.clock.advance(MINUTE)
    assert [each.by for each in await shop.ledger.deploys(DEFAULT_TENANT)] == ["7", "6", "5", "4", "3"]
    await shop.clock.advance(timedelta(days=401).total_seconds())
    await shop.ledger.settle()
    assert [each.by for each in await shop.ledger.deploys(DEFAULT_TENANT)] == ["7"]


async def test_a_service_of_very_many_versions_is_still_listened_to(shop, monkeypatch):
    monkeypatch.setattr(notings, "MOST_VERSIONS", 3)
    for version in "12345":
        await shop.go_on(8, version)
    assert await shop.history() == ["5 running", "4 replaced>5", "3 replaced>4"]


async def test_what_was_sent_before_a_version_ended_does_not_bring_it_back(shop):
    await shop.go_on(3, "1")
    await shop.hear("2")
    await shop.go_on(7, "2")
    await shop.hear("1", ago_s=3 * MINUTE)
    assert await shop.states() == {"2": "running", "1": "ended"}
    assert await shop.told() == ["seen 1>2", "settled 1>2"]


async def test_a_canary_that_comes_and_goes_is_told_once_a_day(shop):
    await shop.hear("1")
    for _ in range(4):
        await shop.go_on(3, "1", "2")
        await shop.go_on(8, "1")
    assert await shop.told() == ["seen 1>2", "rolled_back 2>1"]
    await shop.go_on(40, "1")
    await shop.clock.advance(timedelta(days=1).total_seconds())
    await shop.go_on(1, "1", "2")
    assert await shop.told() == ["seen 1>2", "rolled_back 2>1", "seen 1>2"]


async def test_a_canary_beside_the_old_version_neither_settles_nor_ends(shop):
    await shop.hear("1")
    await shop.hear("2")
    await shop.go_on(90, "1", "2")
    assert await shop.told() == ["seen 1>2"]


async def test_a_service_that_stops_ends_no_version(shop):
    await shop.hear("1")
    await shop.hear("2")
    await shop.go_on(30)
    assert await shop.told() == ["seen 1>2"]
    assert await shop.states() == {"2": "running", "1": "beside"}


async def test_environments_and_services_stand_apart(shop):
    await shop.hear("1", environment="staging")
    await shop.hear("1", environment="production")
    await shop.hear("2", environment="staging")
    await shop.hear("2", service="bank")
    (event,) = await shop.log.read(DEFAULT_TENANT, after=0)
    assert (event.service, event.data["environment"]) == ("orders", "staging")


async def test_two_processes_tell_a_deploy_once(shop, db):
    await shop.go_on(3, "1")
    first, second = shop.ledger, shop.another(db)
    for ledger in (first, second, first):
        shop.ledger = ledger
        await shop.hear("2")
    for ledger in (first, second):
        shop.ledger = ledger
        await shop.go_on(7, "2")
    assert await shop.told() == ["seen 1>2", "settled 1>2"]


async def test_processes_that_hear_a_version_at_the_same_time_tell_it_once(shop, db):
    await shop.go_on(3, "1")
    others = [shop.another(db) for _ in range(4)]
    heard = [Heard(Telling(DEFAULT_TENANT, "orders", "", "2", RESOURCE), shop.clock.now().timestamp() + 1)]
    await asyncio.gather(*(ledger.note(heard) for ledger in others))
    assert await shop.told() == ["seen 1>2"]
    for _ in range(7):
        await shop.clock.advance(MINUTE)
        await shop.hear("2")
    await asyncio.gather(*(ledger.settle() for ledger in others))
    assert await shop.told() == ["seen 1>2", "settled 1>2"]
    await shop.clock.advance(MINUTE)
    back = [heard[0]._replace(telling=heard[0].telling._replace(version="1"), at_s=shop.clock.now().timestamp())]
    await asyncio.gather(*(ledger.note(back) for ledger in others), *(ledger.settle() for ledger in others))
    assert await shop.told() == ["seen 1>2", "settled 1>2", "seen 2>1"]
    assert await shop.history() == ["1 running", "2 beside", "1 replaced>2"]


async def test_a_resource_counts_more_than_a_metric(shop):
    await shop.hear("1.0", origin="orders_build_info")
    await shop.hear("v1.0")
    await shop.hear("2.0", origin="orders_build_info")
    assert await shop.told() == []
    await shop.hear("v2.0")
    assert await shop.told() == ["seen v1.0>v2.0"]


async def test_the_metric_that_is_named_like_the_service_is_chosen_and_kept(shop, db):
    tellings = [
        Telling(DEFAULT_TENANT, "orders", "", version, origin)
        for version, origin in (("9", "grpc_build_info"), ("1", "orders_build_info"))
    ]
    await shop.ledger.note([Heard(each, AT.timestamp()) for each in tellings])
    await shop.hear("10", origin="grpc_build_info")
    assert await shop.states() == {"1": "running"}
    await shop.hear("2", origin="orders_build_info")
    assert await shop.told() == ["seen 1>2"]


async def test_a_version_for_each_request_does_not_flood_the_log(shop, monkeypatch):
    monkeypatch.setattr(notings, "MOST_TOLD", 3)
    monkeypatch.setattr(notings, "MOST_VERSIONS", 8)
    for number in range(20):
        await shop.hear(str(number))
    assert len(await shop.told()) == 3
    assert len(await shop.states()) == 8


async def test_a_record_is_one_deploy_with_what_telemetry_hears(shop):
    await shop.go_on(3, "1")
    await shop.clock.advance(MINUTE)
    made = await shop.ledger.record(CI, Recording("orders", "2", commit="4f2a", by="ci"))
    assert (made.is_new, made.deploy.state, made.deploy.from_version) == (True, "awaited", "1")
    again = await shop.ledger.record(CI, Recording("orders", "2", url="https://ci.example/7"))
    assert (again.is_new, again.deploy.commit, again.deploy.url) == (False, "4f2a", "https://ci.example/7")
    await shop.hear("1", "2")
    await shop.go_on(7, "2")
    assert await shop.told() == ["recorded 1>2", "settled 1>2"]
    (event, _) = await shop.log.read(DEFAULT_TENANT, after=0)
    assert (event.actor, event.data["commit"], event.data["by"]) == (CI.actor, "4f2a", "ci")


async def test_a_record_that_comes_after_telemetry_adds_what_it_knows(shop):
    await shop.hear("1")
    await shop.hear("2")
    made = await shop.ledger.record(CI, Recording("orders", "2", commit="4f2a", at=AT - timedelta(minutes=1)))
    assert (made.is_new, made.deploy.commit, made.deploy.state) == (False, "4f2a", "running")
    assert await shop.told() == ["seen 1>2"]


async def test_a_recorded_way_back_is_a_deploy_of_its_own(shop):
    await shop.go_on(3, "1")
    await shop.hear("2")
    await shop.go_on(7, "2")
    assert (await shop.ledger.record(CI, Recording("orders", "1"))).is_new
    await shop.go_on(8, "1")
    assert await shop.told() == ["seen 1>2", "settled 1>2", "recorded 2>1", "rolled_back 2>1"]
    assert await shop.history() == ["1 running", "2 rolled_back>1", "1 replaced>2"]


async def test_a_record_without_an_environment_is_of_the_one_that_telemetry_knows(shop):
    await shop.ledger.record(CI, Recording("orders", "1"))
    await shop.hear("1", environment="production")
    made = await shop.ledger.record(CI, Recording("orders", "2", by="ci"))
    assert (made.deploy.environment, made.deploy.from_version) == ("production", "1")
    await shop.hear("2", environment="production")
    await shop.hear("1", environment="staging")
    await shop.hear("2", environment="staging")
    assert await shop.told() == ["recorded >1", "recorded 1>2", "seen 1>2"]
    places = sorted((each.environment, each.version) for each in await shop.ledger.deploys(DEFAULT_TENANT))
    assert places == [("production", "1"), ("production", "2"), ("staging", "1"), ("staging", "2")]
    assert (await shop.ledger.record(CI, Recording("orders", "3"))).deploy.environment == ""


async def test_a_late_record_does_not_keep_telemetry_from_telling(shop):
    await shop.hear("1")
    await shop.ledger.record(CI, Recording("orders", "2", at=AT - timedelta(minutes=20)))
    assert await shop.told() == []
    await shop.hear("2")
    await shop.hear("2")
    assert await shop.told() == ["seen 1>2"]


async def test_without_telemetry_what_was_recorded_last_runs(shop):
    for version in ("1", "2", "1"):
        await shop.ledger.record(CI, Recording("mail", version))
        await shop.clock.advance(MINUTE)
    await shop.ledger.settle()
    assert await shop.told() == ["recorded >1", "recorded 1>2", "recorded 2>1"]
    assert await shop.history() == ["1 running", "2 rolled_back>1", "1 replaced>2"]


async def test_an_old_record_is_listed_and_not_told_and_the_future_is_refused(shop):
    made = await shop.ledger.record(CI, Recording("orders", "1", at=AT - timedelta(days=3)))
    assert made.is_new
    assert await shop.told() == []
    with pytest.raises(InvalidError, match="field 'at'"):
        await shop.ledger.record(CI, Recording("orders", "2", at=AT + timedelta(hours=1)))


async def test_deploys_are_listed_by_service_and_time_for_their_tenant(shop):
    await shop.hear("1")
    await shop.clock.advance(MINUTE)
    await shop.hear("2")
    await shop.hear("5", service="bank")
    assert [each.version for each in await shop.ledger.deploys(DEFAULT_TENANT, service="orders")] == ["2", "1"]
    since = await shop.ledger.deploys(DEFAULT_TENANT, since=AT + timedelta(seconds=30))
    assert [each.service for each in since] == ["bank", "orders"]
    assert [each.version for each in await shop.ledger.deploys(DEFAULT_TENANT, limit=1)] == ["5"]
    assert await shop.ledger.deploys(TenantId("other")) == []


async def test_a_version_that_ended_long_ago_is_forgotten(shop):
    await shop.go_on(3, "1")
    await shop.hear("2")
    await shop.go_on(7, "2")
    await shop.clock.advance(timedelta(days=401).total_seconds())
    await shop.hear("2")
    await shop.ledger.settle()
    assert await shop.states() == {"2": "running"}
