"""Files rotate, several processes write one, and nothing that was written is lost: not by rotation, not by SIGKILL."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast import journal
from holdfast.journal import LogFile, Retention

# Writes numbered lines for ever, and tells on its standard output up to which number they are written.
WRITER = """
import sys
from holdfast.journal import LogFile, Retention
file = LogFile(sys.argv[1], max_bytes=20_000, retention=Retention(compress=sys.argv[3] == "compressed"))
number = 0
while True:
    file.write_line(f'{{"writer":"{sys.argv[2]}","n":{number},"pad":"{"x" * (number % 97)}"}}')
    number += 1
    if number % 20 == 0:
        print(number, flush=True)
"""


def read_all(file):
    """Give every line of a log, archives first."""
    archives = [(path.suffix, path.read_bytes()) for path in file.archives.files()]
    texts = [gzip.decompress(held) if suffix == ".gz" else held for suffix, held in archives]
    if file.path.exists():
        texts.append(file.path.read_bytes())
    return [json.loads(line) for text in texts for line in text.decode().splitlines()]


def numbers(file):
    return sorted(line["n"] for line in read_all(file))


def fill(file, count, start=0):
    for number in range(start, start + count):
        file.write_line(json.dumps({"n": number, "pad": "x" * 80}))


def test_a_file_rotates_by_size_and_its_archives_are_compressed(tmp_path):
    file = LogFile(tmp_path / "deep" / "a.log", max_bytes=2_000)
    fill(file, 200)
    file.close()
    assert numbers(file) == list(range(200))
    assert file.rotations >= 8
    assert {path.suffix for path in file.archives.files()} == {".gz"}
    assert all(path.stat().st_size < 2_200 for path in file.path.parent.glob("a.log*"))


def test_a_file_of_an_older_period_is_rotated_before_the_first_line(tmp_path):
    path = tmp_path / "a.log"
    path.write_text('{"n":0}\n')
    yesterday = time.time() - 86_400
    os.utime(path, (yesterday, yesterday))
    file = LogFile(path, every="day", retention=Retention(compress=False))
    file._look_at_s = 0
    file.write_line('{"n":1}')
    assert path.read_text() == '{"n":1}\n'
    assert [json.loads(old.read_text()) for old in file.archives.files()] == [{"n": 0}]


def test_a_running_file_rotates_when_its_period_ends(tmp_path, monkeypatch):
    now_s = time.time()
    file = LogFile(tmp_path / "a.log", every="hour", retention=Retention(compress=False))
    fill(file, 1)
    file._look_at_s = 0
    monkeypatch.setattr(time, "time", lambda: now_s + 3600)
    fill(file, 1, start=1)
    file.close()
    assert (file.rotations, numbers(file)) == (1, [0, 1])


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        (Retention(compress=False, keep_files=3), 3),
        (Retention(compress=False, keep_bytes=2_100), 2),
        (Retention(compress=False, keep_for=timedelta(hours=1)), 5),
    ],
)
def test_the_oldest_archives_go_first(tmp_path, retention, left):
    file = LogFile(tmp_path / "a.log", retention=retention)
    old = []
    for number in range(10):
        path = tmp_path / f"a.log.2026010{number}T000000.000000-1Z"
        path.write_text("x" * 1_000)
        age_s = 7200 if number < 5 else 60
        os.utime(path, (time.time() - age_s, time.time() - age_s))
        old.append(path)
    file.archives.tidy()
    assert file.archives.files() == old[-left:]


def test_what_a_crash_left_is_put_right(tmp_path):
    file = LogFile(tmp_path / "a.log")
    begun = tmp_path / "a.log.20260101T000000.000000-1Z"
    begun.write_text('{"n":0}\n')
    Path(f"{begun}.half").write_bytes(b"\x1f\x8b half")
    finished = tmp_path / "a.log.20260102T000000.000000-1Z"
    finished.write_text('{"n":1}\n')
    Path(f"{finished}.gz").write_bytes(gzip.compress(b'{"n":1}\n'))
    file.archives.tidy()
    assert numbers(file) == [0, 1]
    assert sorted(path.name for path in tmp_path.glob("a.log.2*")) == [f"{begun.name}.gz", f"{finished.name}.gz"]


def test_an_archive_that_somebody_may_still_write_to_is_left_alone(tmp_path):
    slow, quick = (LogFile(tmp_path / "a.log", max_bytes=500) for _ in range(2))
    slow.write_line('{"n":0}')
    slow._look_at_s = float("inf")  # it has not looked since
    fill(quick, 20, start=1)
    quick.archives.wait(5)
    slow.write_line('{"n":21}')
    assert numbers(quick) == list(range(22))
    first = quick.archives.files()[0]
    assert first.suffix != ".gz"
    slow._look_at_s = 0
    slow.write_line('{"n":22}')
    quick.archives.tidy()
    assert not first.exists()
    slow.close()
    quick.close()
    assert numbers(quick) == list(range(23))


def test_a_file_that_another_tool_moved_is_made_anew(tmp_path):
    file = LogFile(tmp_path / "a.log")
    fill(file, 1)
    file.path.rename(tmp_path / "moved.log")
    file._look_at_s = 0
    fill(file, 1, start=1)
    assert file.path.read_text().count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["compressed", "plain"])
def test_writers_that_are_killed_lose_nothing_that_they_wrote(tmp_path, how):
    path, told = tmp_path / "a.log", {}
    chance = random.Random(7)
    for generation in range(3):
        writers = {
            f"{generation}.{number}": subprocess.Popen(
                [sys.executable, "-c", WRITER, str(path), f"{generation}.{number}", how], stdout=subprocess.PIPE
            )
            for number in range(3)
        }
        for name, writer in writers.items():
            for _ in range(chance.randrange(20, 60)):
                told[name] = int(writer.stdout.readline())
        for name, writer in writers.items():
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split(b"\n")
            told[name] = max([told[name], *(int(line) for line in rest[:-1])])
            writer.wait(timeout=60)
            writer.stdout.close()
    file = LogFile(path, retention=Retention(compress=how == "compressed"))
    file.archives.tidy()
    found = {}
    for line in read_all(file):
        found.setdefault(line["writer"], []).append(line["n"])
    file.close()
    assert set(found) == set(told)
    for name, count in told.items():
        assert sorted(found[name]) == list(range(len(found[name]))), "each line once, none missing"
        assert len(found[name]) >= count
    assert len(file.archives.files()) > 5


def test_a_full_disk_is_counted_and_the_next_line_begins_anew(tmp_path, monkeypatch):
    file = LogFile(tmp_path / "a.log")
    real, refuse = os.write, [False]

    def write(fd, data):
        if not refuse[0]:
            return real(fd, data)
        if len(data) > 4:
            return real(fd, data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    file.write_line("first")
    refuse[0] = True
    file.write_line("second")
    refuse[0] = False
    file.write_line("third")
    assert file.path.read_text().splitlines() == ["first", "sec", "third"]
    assert file.dropped == 1


def test_a_closed_file_drops_lines_and_counts_them(tmp_path):
    told = journal.configure(file=tmp_path / "a.log")
    told.close()
    journal.get_logger().info("late")
    assert told.dropped == 1


def test_a_forked_child_writes_on(tmp_path):
    file = LogFile(tmp_path / "a.log", max_bytes=500)
    with file._lock:  # as if another thread were looking just now
        child = os.fork()
        if child == 0:
            fill(file, 30)
            file.close()  # waits for what is being compressed, which would lie there twice for a moment
            os._exit(0 if file.rotations else 1)
    assert os.waitpid(child, 0)[1] == 0
    file.close()
    assert numbers(file) == list(range(30))


@pytest.mark.parametrize("options", [{"max_bytes": -1}, {"every": "fortnight"}])
def test_sizes_and_periods_that_are_none_are_refused(tmp_path, options):
    with pytest.raises(ValueError):
        LogFile(tmp_path / "a.log", **options)
