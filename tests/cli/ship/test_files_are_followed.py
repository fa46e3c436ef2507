"""Files that grow, are renamed, truncated, replaced and found anew; positions outlive the process."""

from __future__ import annotations

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


def test_new_files_of_a_pattern_are_found(tmp_path):
    files = follow(tmp_path / "*.log")
    assert read(files) == []
    write(tmp_path / "b.log", "x\n")
    assert read(files) == ["x"]


def test_reading_goes_on_where_it_was_even_when_the_file_was_renamed_meanwhile(tmp_path):
    log = tmp_path / "a.log"
    write(log, "one\n")
    files = follow(log)
    read(files)
    known = files.positions()
    files.close()
    write(log, "two\n")
    log.rename(tmp_path / "a.log.1")
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


def test_a_file_that_was_renamed_before_it_was_read_to_its_end_is_not_missed(tmp_path):
    log = tmp_path / "a.log"
    write(log, "one\n")
    files = follow(log)
    assert read(files) == ["one"]
    write(log, "two\n")
    log.rename(tmp_path / "a.log.1")
    again = follow(log, known=files.positions())
    assert (read(again, is_last=True), again.faults) == (["two"], {})
