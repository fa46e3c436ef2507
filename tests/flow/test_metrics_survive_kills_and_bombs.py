"""A server that takes metrics loses nothing that it acknowledged when it is killed, and sheds a bomb of new series."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.trials import bomb, soak

LIMIT = 2_000


@pytest.mark.slow
async def test_no_acknowledged_sample_is_lost_by_kill_9(tmp_path: Path) -> None:
    report = await soak.soak(tmp_path, seconds=4, kill_every_s=2, rate=800, readers=1)
    assert report.kills >= 2
    assert report.faults == []
    assert report.acknowledged > 0


@pytest.mark.slow
async def test_a_bomb_of_new_series_is_refused_named_and_harms_no_other(tmp_path: Path) -> None:
    limits = {"HOLDFAST_METRICS_MAX_SERIES_PER_ORIGIN": str(LIMIT)}
    report = await bomb.bombard(tmp_path, series=20_000, seconds=2, calm_s=1, history_s=10, good=100, environ=limits)
    assert report.admitted == LIMIT
    assert report.sent.refused == 20_000 - LIMIT
    assert set(report.sent.statuses) <= {"204", "400"}
    culprit = report.cardinality["explosions"][0]
    assert (culprit["metric"], culprit["origin"]) == (bomb.BAD, f"remote_write:{bomb.BAD_ADDRESS}")
    assert (culprit["reason"], culprit["label"]) == ("series_per_origin", "user_id")
    assert report.during.failed == 0
    assert report.during.writes.seconds
    assert report.during.queries.seconds
