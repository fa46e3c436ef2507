"""A version is gone when it pauses for longer than it ever does while others of its service are heard."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fixtures.deploys import MIGRATIONS, Shop

HOUR = 60


@pytest.fixture
def migrations():
    return MIGRATIONS


@pytest.fixture
async def shop(db):
    return Shop(db)


async def test_a_batch_job_that_is_heard_by_the_hour_settles_when_it_ran_often_enough(shop):
    await shop.live(5 * HOUR, {"1": HOUR}, step=HOUR)
    await shop.live(2 * HOUR, {"2": HOUR}, step=HOUR)
    assert await shop.told() == ["seen 1>2"]
    assert await shop.states() == {"2": "running", "1": "beside"}
    await shop.live(4 * HOUR, {"2": HOUR}, step=HOUR)
    assert await shop.told() == ["seen 1>2", "settled 1>2"]


async def test_a_job_of_the_hour_beside_a_server_of_another_version_never_ends(shop):
    await shop.live(4 * HOUR, {"1": HOUR}, step=HOUR)
    await shop.live(5 * HOUR, {"1": HOUR, "2": 5}, step=5)
    assert await shop.told() == ["seen 1>2"]
    assert await shop.states() == {"2": "running", "1": "beside"}


async def test_a_canary_that_is_seldom_heard_is_not_rolled_back(shop):
    await shop.live(10, {"1": 1})
    await shop.live(HOUR, {"1": 1, "2": 15})
    assert await shop.told() == ["seen 1>2"]
    await shop.live(40, {"1": 2}, step=2)
    assert await shop.told() == ["seen 1>2", "rolled_back 2>1"]


@pytest.mark.parametrize("pause", [25, 40, 55])
async def test_a_canary_whose_pauses_nobody_knows_yet_is_not_rolled_back(shop, pause):
    await shop.live(10, {"1": 1})
    await shop.live(6 * pause, {"1": 5, "2": pause}, step=5)
    assert await shop.told() == ["seen 1>2"]
    await shop.live(3 * pause, {"1": 5}, step=5)
    assert await shop.told() == ["seen 1>2", "rolled_back 2>1"]


@pytest.mark.parametrize(("hearings", "patience"), [(1, 60), (2, 20), (3, 5)])
async def test_the_more_often_a_version_was_heard_the_sooner_its_end_is_told(shop, hearings, patience):
    await shop.live(10, {"1": 1})
    await shop.live(hearings, {"1": 1, "2": 1})
    await shop.live(patience, {"1": 1})
    assert await shop.told() == ["seen 1>2"]
    await shop.live(2, {"1": 1})
    assert await shop.told() == ["seen 1>2", "rolled_back 2>1"]
    (went, *_) = [each for each in await shop.ledger.deploys("default") if each.version == "1"]
    assert went.began_at < shop.clock.now() - timedelta(minutes=patience)  # since when it is so, not since it is known


async def test_blue_and_green_change_places_and_each_change_is_a_deploy(shop):
    await shop.live(10, {"blue": 1})
    await shop.live(HOUR, {"green": 2}, step=2)
    await shop.live(10, {"blue": 1})
    told = ["seen blue>green", "settled blue>green", "seen green>blue", "rolled_back green>blue"]
    assert await shop.told() == told


async def test_one_old_replica_that_starts_again_is_no_roll_back(shop):
    await shop.live(5, {"1": 1})
    await shop.live(10, {"2": 1})
    await shop.live(20, {"1": 2, "2": 2}, step=2)
    assert await shop.told() == ["seen 1>2", "settled 1>2", "seen 2>1"]
    assert await shop.states() == {"1": "running", "2": "beside"}


async def test_replicas_that_roll_slowly_settle_when_the_last_one_is_gone(shop):
    await shop.live(5, {"1": 1})
    await shop.live(90, {"1": 3, "2": 3}, step=3)
    assert await shop.told() == ["seen 1>2"]
    await shop.live(15, {"2": 3}, step=3)
    assert await shop.told() == ["seen 1>2", "settled 1>2"]


async def test_time_in_which_nobody_was_heard_ends_nothing(shop):
    await shop.live(10, {"1": 1, "2": 1})
    await shop.live(3 * HOUR, {}, step=HOUR)
    await shop.live(3, {"2": 1})
    await shop.live(10, {"1": 1, "2": 1})
    assert await shop.told() == []
    assert sorted((await shop.states()).values()) == ["beside", "running"]


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0, 86400.0])
async def test_a_clock_that_jumps_ends_nothing_and_hides_no_deploy(shop, jump_s):
    await shop.live(5, {"1": 1})
    await shop.live(5, {"1": 1, "2": 1})
    shop.jump(jump_s)
    await shop.live(5, {"1": 1, "2": 1})
    assert await shop.told() == ["seen 1>2"]
    await shop.live(8, {"2": 1})
    await shop.live(HOUR, {"2": 5}, step=5)
    assert await shop.told() == ["seen 1>2", "settled 1>2"]


async def test_an_outage_a_day_does_not_make_patient(shop):
    await shop.live(10, {"1": 1})
    await shop.live(12 * HOUR, {}, step=HOUR)
    await shop.live(10, {"1": 1})
    await shop.live(8, {"2": 1})
    assert await shop.told() == ["seen 1>2", "settled 1>2"]
