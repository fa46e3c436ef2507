"""What a schedule may be told, in code and in a file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from holdfast.kernel.errors import ConfigError, InvalidError, NotFoundError
from holdfast.kernel.runs.schedules import Schedule, load_schedules

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "place", "message"),
    [
        ({}, "", "none of cron, every and at"),
        ({"cron": "@daily", "every": "1h"}, "every", "cron and every"),
        ({"cron": "61 * * * *"}, "cron", "'61' is not a minute"),
        ({"cron": "@daily", "zone": "Mars/Olympus"}, "zone", "unknown time zone"),
        ({"every": "10"}, "every", "write 10s or 10ms"),
        ({"every": "100ms"}, "every", "too short"),
        ({"at": "tomorrow"}, "at", "'tomorrow' is not a moment"),
        ({"every": "1h", "jitter": "some"}, "jitter", "not a duration"),
        ({"every": "1h", "overlap": "cancel"}, "overlap", "did you mean 'cancel-old'"),
        ({"every": "1h", "catch_up": "none"}, "catch_up", "none of skip, last, all"),
        ({"every": "1h", "catch_up_limit": 0}, "catch_up_limit", "from 1 to 1000"),
        ({"every": "1h", "priority": 2000}, "priority", "out of range"),
        ({"every": "1h", "starts_at": "2026-02-01", "ends_at": "2026-01-01"}, "ends_at", "before starts_at"),
        ({"every": "1h", "name": "Nightly"}, "name", "not a schedule's name"),
    ],
)
def test_a_wrong_schedule_is_refused_with_the_field_and_the_fix(given, place, message):
    with pytest.raises(InvalidError) as caught:
        Schedule(**{"name": "x", "workflow": "w", **given})
    assert caught.value.place.field == place
    assert message in str(caught.value)


def test_moments_are_read_in_the_zone_of_the_schedule():
    schedule = Schedule("once", "w", at="2026-07-01T12:00", zone="Europe/Berlin")
    assert schedule.timing.preview(START, 5) == [datetime(2026, 7, 1, 10, tzinfo=UTC)]
    assert Schedule("once", "w", at="2026-07-01T12:00+00:00", zone="Europe/Berlin").timing.preview(START, 1) == [
        datetime(2026, 7, 1, 12, tzinfo=UTC)
    ]


def test_an_interval_counts_from_its_start():
    schedule = Schedule("x", "w", every="7m", starts_at="2026-01-01T00:01")
    assert [at.minute for at in schedule.timing.preview(START, 3)] == [1, 8, 15]


def test_only_other_instants_are_another_fingerprint():
    one = Schedule("x", "w", {"a": 1}, cron="@daily")
    assert one.fingerprint == Schedule("x", "w", {"a": 2}, cron="@daily", overlap="allow").fingerprint
    assert one.fingerprint != Schedule("x", "w", {"a": 1}, cron="@daily", zone="Asia/Tokyo").fingerprint


GOOD = """
schedules:
  - name: nightly-backup
    workflow: shop.backup
    input: {keep: 7}
    cron: "30 2 * * *"
    zone: Europe/Berlin
    overlap: queue
  - {name: sweep, workflow: shop.sweep, every: 10m, jitter: 30s}
"""
BAD = """
schedules:
  - name: nightly-backup
    workflow: shop.backup
    corn: "30 2 * * *"
  - {name: sweep, workflow: shop.sweep, every: 10 minutes}
  - {name: sweep, workflow: shop.swep, every: 10m}
"""


def judge(schedule: Schedule) -> None:
    if schedule.workflow not in {"shop.backup", "shop.sweep"}:
        raise NotFoundError(f"there is no workflow {schedule.workflow!r}")


def test_a_file_of_schedules_is_read(tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text(GOOD)
    backup, sweep = load_schedules([file], judge, root=tmp_path)
    assert (backup.name, backup.input, backup.overlap, backup.kind) == ("nightly-backup", {"keep": 7}, "queue", "cron")
    assert (sweep.kind, sweep.rule, sweep.timing.jitter_s) == ("interval", "10m", 30.0)


def test_every_fault_of_a_file_is_told_with_its_place(tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text(BAD)
    with pytest.raises(ConfigError) as caught:
        load_schedules([file], judge, root=tmp_path)
    told = str(caught.value)
    assert "shop.yaml:5: schedules[0].corn: unknown key 'corn' (did you mean 'cron'?)" in told

    file.write_text(BAD.replace("corn", "cron"))
    other = tmp_path / "twice.yaml"
    other.write_text("schedules: [{name: nightly-backup, workflow: shop.backup, every: 1h}]")
    with pytest.raises(ConfigError) as caught:
        load_schedules([file, other], judge, root=tmp_path)
    told = str(caught.value)
    assert "shop.yaml:6: schedules[1].every: '10 minutes' is not a duration" in told
    assert "shop.yaml:7: schedules[2]: there is no workflow 'shop.swep'" in told
    assert "twice.yaml:1: schedules[0]: the schedule 'nightly-backup' stands here twice" in told
