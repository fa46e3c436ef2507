"""The last results of a check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from holdfast.health.engine.recents import Recent, Recents
from holdfast.health.verdict import Verdict

START = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_points_come_back_as_they_were_and_the_oldest_go_first():
    points = [Recent(START + timedelta(seconds=turn), list(Verdict)[turn % 4], turn / 7) for turn in range(100)]
    recents = Recents(points)
    assert len(recents) == 40
    assert list(recents) == points[-40:]
