"""Files that grow, are renamed, truncated, replaced and found anew; positions outlive the process."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.ship import following
from holdfast.cli.ship.entries import Batch
from holdfast.cli.ship.files import Files


@pytest.fixture(autouse=True)
def _nothing_waits(monkeypatch):
    monkeypatch.setattr("holdfast.cli.ship.files.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("holdfast.cli.ship.files._GOES_AFTER_S", 0.0)
    monkeypatch.setattr(following, "_JOINED_WITHIN_S", 0.0)
    yield
    while OPEN:
        OPEN.pop().close()


OPEN: list[Files] = []


def follow(*patterns, known=None, labels=None, tell=None):
    files = Files([str(pattern) for pattern in patterns], labels or {}, "web-1", known or {}, tell)
    OPEN.append(files)
    return files


def read(files, *, is_last=False):
    found = []
    while True:
        batch = Batch()
        files.fill(batch, is_last=is_last)
        if not batch.entries:
            return [entry.line for entry in found]
        found += batch.entries


def write(path, text):
    with path.open("a") as file:
        file.write(text)


def test_lines_come_once_they_are_whole(tmp_path):
    log = tmp_path / "shop.log"
    write(log, "2023-11-14T22:13:20Z one\ntw")
    files = follow(log)
    batch = Batch()
    files.fill(batch, is_last=False)

    [entry] = batch.entries
    assert entry == (
        (("service_name", "shop"),),
        1_700_000_000_000_000_000,
        "2023-11-14T22:13:20Z one",
        {"log_file_path": str(log), "log_offset": "0", "host_name": "web-1"},
    )
    write(log, "o\nthree\n")
    assert read(files) == ["two", "three"]


def test_traces_are_joined_and_frames_taken_off(tmp_path):
    log = tmp_path / "pod.log"
    lines = ["ERROR failed", "Traceback (most recent call last):", '  File "a.py"', "KeyError: 1", "INFO next"]
    write(log, "".join(f"2023-11-14T22:13:20Z stderr F {line}\n" for line in lines))
    assert read(follow(log)) == ["\n".join(lines[:4]), "INFO next"]


def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start(tmp_path):
    log = tmp_path / "a.log"
    write(log, "one\n")
    files = follow(log)
    assert read(files) == ["one"]
    write(log, "two\n")
    log.rename(tmp_path / "a.log.1")
    write(tmp_path / "a.log.1", "three\n")
    write(log, "four\n")
    assert sorted(read(files)) == ["four", "three", "two"]
    assert len(files.positions()) == 1


def test_a_truncated_file_is_read_from_its_start(tmp_path):
    log = tmp_path / "a.log"
    write(log, "one\ntwo\n")
    files = follow(log)
    assert read(files) == ["one", "two"]
    shutil.copy(log, tmp_path / "a.copy")
    log.write_text("")
    write(log, "three\n")
    assert read(files) == ["three"]


def test_a_file_that_grew_past_its_old_end_after_truncation_is_noticed(tmp_path):
    log = tmp_path / "a.log"
    write(log, "one\n")
    files = follow(log)
    assert read(files) == ["one"]
    log.write_text("a much longer line\nand one more\n")
    assert read(files) == ["a much longer line", "and one more"]


def copy_and_truncate(log, name):
    """Rotate as logrotate's `copytruncate` does."""
    shutil.copy(log, log.with_name(name))
    os.truncate(log, 0)


@pytest.mark.parametrize("pattern", ["a.log", "a.log*"])
def test_what_was_written_before_a_file_was_copied_and_truncated_is_read_from_the_copy(tmp_path, pattern):
    log = tmp_path / "a.log"
    write(log, "one\n")
    files = follow(tmp_path / pattern)
    assert read(files) == ["one"]
    write(log, "two\nthree\n")
    copy_and_truncate(log, "a.log.1")
    write(log, "four\n")
    assert read(files) == ["two", "three", "four"]
    (tmp_path / "a.log.1").rename(tmp_path / "a.log.2")
    write(log, "five\n")
    copy_and_truncate(log, "a.log.1")
    assert read(files) == ["five"]
    known = files.positions()
    files.close()
    write(log, "six\n")
    assert read(follow(tmp_path / pattern, known=known)) == ["six"]


@pytest.mark.parametrize("pattern", ["a.log", "a.log*"])
def test_a_copy_and_truncation_while_nobody_reads_lose_and_repeat_nothing(tmp_path, pattern):
    log = tmp_path / "a.log"
    write(log, "one\n")
    files = follow(tmp_path / pattern)
    assert read(files) == ["one"]
    known = files.positions()
    files.close()
    write(log, "two\n")
    copy_and_truncate(log, "a.log.1")
    write(log, "three, which is longer than what was there\n")
    assert read(follow(tmp_path / pattern, known=known)) == ["two", "three, which is longer than what was there"]


def test_of_copies_that_are_gone_nothing_is_kept(tmp_path):
    log, copy = tmp_path / "a.log", tmp_path / "a.log.1"
    files = follow(tmp_path / "*.log")
    for number in range(4):
        write(log, f"{number}\n")
        assert read(files) == [f"{number}"]
        copy_and_truncate(log, "a.log.new")
        (tmp_path / "a.log.new").replace(copy)
        assert read(files) == []
    assert len(files.positions()) == 2

    copy.write_text("of another one\n")  # as where a new file gets the inode of one that is gone
    copy.rename(tmp_path / "shop.log")
    batch = Batch()
    files.fill(batch, is_last=True)
    [entry] = batch.entries
    assert (entry.line, entry.labels) == ("of another one", (("service_name", "shop"),))
    assert entry.pairs["log_file_path"] == str(tmp_path / "shop.log")


def test_a_long_copy_goes_on_over_batches_and_restarts(tmp_path):
    log = tmp_path / "a.log"
    write(log, "".join(f"{number}\n" for number in range(10)))
    files = follow(tmp_path / "a.log*")
    found = read(files)
    write(log, "".join(f"{number}\n" for number in range(10, 80_000)))
    copy_and_truncate(log, "a.log.1")
    write(log, "last\n")
    while True:
        batch = Batch()
        files.fill(batch, is_last=False)
        if not batch.entries:
            break
        found += [entry.line for entry in batch.entries]
        assert {entry.pairs["log_file_path"] for entry in batch.entries} == {str(log)}
        known = files.positions()
        files.close()
        files = follow(tmp_path / "a.log*", known=known)
    assert found == [*(str(number) for number in range(80_000)), "last"]


def test_a_copy_that_is_still_being_made_is_not_read_beside_its_file(tmp_path):
    log, copy = tmp_path / "a.log", tmp_path / "a.log.1"
    lines = "".join(f"{number}\n" for number in range(1000))
    write(log, lines)
    files = follow(tmp_path / "a.log*")
    assert len(read(files)) == 1000
    for length in (0, 10, 300, 2000):
        copy.write_text(lines[:length])
        assert read(files) == []
    write(log, "more\n")
    assert read(files) == ["more"]
    copy.write_text(lines + "more\n")
    log.write_text("new\n")
    assert read(files) == ["new"]


def test_a_file_beside_that_begins_alike_is_read_once_it_differs(tmp_path):
    banner = "The shop 1.0 is starting, with all that it needs to begin its work\n" * 8
    write(tmp_path / "a.log", banner + "one\n")
    files = follow(tmp_path / "a.log*")
    assert read(files)[-1] == "one"
    write(tmp_path / "a.log.errors", banner + "two\n")
    assert read(files)[-1] == "two"


def test_a_file_that_is_truncated_while_it_is_read_is_not_read_on_in_its_midst(tmp_path, monkeypatch):
    log = tmp_path / "a.log"
    write(log, "".join(f"old {number}\n" for number in range(100)))
    files = follow(log)
    take = following.FollowedFile._take
    cut = iter([True])

    def take_and_cut(file, line, start, batch):
        if line == b"old 50" and next(cut, False):
            copy_and_truncate(log, "b.log")
            write(log, "".join(f"new {number}\n" for number in range(200)))
        take(file, line, start, batch)

    monkeypatch.setattr(following.FollowedFile, "_take", take_and_cut)
    expected = [f"old {number}" for number in range(100)] + [f"new {number}" for number in range(200)]
    assert read(files) == expected
    known = files.positions()
    files.close()
    assert read(follow(log, known=known)) == []


def test_positions_of_the_release_before_go_on(tmp_path):
    log = tmp_path / "a.log"
    write(log, "one\ntwo\n")
    status = log.stat()
    head = {"head": hashlib.sha256(b"one\n").hexdigest()[:32], "head_length": 4}
    known = {f"{status.st_dev}:{status.st_ino}": {"path": str(log), "offset": 4, **head}}
    assert read(follow(log, known=known)) == ["two"]


def test_new_files_of_a_pattern_are_found(tmp_path):
    files = follow(tmp_path / "*.log")
    assert read(files) == []
    write(tmp_path / "b.log", "x\n")
    assert read(files) == ["x"]


@pytest.mark.parametrize("name", ["a.log", "a[1].log"])
def test_reading_goes_on_where_it_was_even_when_the_file_was_renamed_meanwhile(tmp_path, name):
    log = tmp_path / name
    write(log, "one\n")
    files = follow(log)
    read(files)
    known = files.positions()
    files.close()
    write(log, "two\n")
    log.rename(tmp_path / f"{name}.1")
    again = follow(log, known=known)
    assert (read(again, is_last=True), again.faults) == (["two"], {})
    write(log, "three\n")
    assert sorted(read(follow(log, known=known))) == ["three", "two"]


def test_another_file_with_the_old_inode_is_read_from_its_start(tmp_path):
    log = tmp_path / "a.log"
    write(log, "one\n")
    files = follow(log)
    read(files)
    known = files.positions()
    log.write_text("other and longer\n")

    assert read(follow(log, known=known)) == ["other and longer"]


def test_a_line_without_end_comes_in_pieces(tmp_path):
    log = tmp_path / "a.log"
    write(log, "x" * 450_000)
    assert [len(line) for line in read(follow(log), is_last=True)] == [200_000, 200_000, 50_000]


def test_many_lines_come_in_several_batches(tmp_path):
    log = tmp_path / "a.log"
    write(log, "".join(f"{number}\n" for number in range(100_000)))
    assert read(follow(log), is_last=True) == [str(number) for number in range(100_000)]


parts = st.lists(st.text(alphabet="ab\n\r ", max_size=12), max_size=12)


@given(parts)
def test_no_line_is_lost_when_reading_starts_anew_at_any_position(tmp_path_factory, parts):
    log = tmp_path_factory.mktemp("f") / "a.log"
    log.touch()
    known, found = {}, []
    for part in parts:
        write(log, part)
        files = follow(log, known=known)
        found += read(files)
        known = files.positions()
        files.close()
    found += read(follow(log, known=known), is_last=True)
    lines = [line.rstrip("\r") for line in "".join(parts).split("\n")]
    assert found == [line for line in lines if line]


def test_a_name_that_leads_to_nothing_is_told_once_and_read_when_it_is_there(tmp_path):
    told, log = [], tmp_path / "late[1].log"
    write(tmp_path / "here.log", "here\n")
    files = follow(tmp_path / "here.log", log, tell=told.append)
    assert (read(files), read(files)) == (["here"], [])
    assert [words.partition(" (")[0] for words in told] == [f"{log}: no file matches it"]
    write(log, "now\n")
    assert read(files) == ["now"]
    assert files.faults == {}


def test_a_file_that_was_read_and_may_not_be_read_any_more_is_told(tmp_path, monkeypatch):
    told, log = [], tmp_path / "a.log"
    write(log, "one\n")
    files = follow(log)
    assert read(files) == ["one"]

    def refuse(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("holdfast.cli.ship.files.FollowedFile", refuse)
    again = follow(log, known=files.positions(), tell=told.append)
    assert (read(again), read(again)) == ([], [])
    assert [words.partition(" (")[0] for words in told] == [f"{log}: it cannot be read: Permission denied"]
