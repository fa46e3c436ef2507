"""Blocks that are read as columns give what reading line by line gives: for generated files, and for any bytes."""

from __future__ import annotations

import json
import random
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.telemetry.logs.files import access, analysing, requests, shapes, traces
from holdfast.telemetry.logs.files.access import AccessReader
from holdfast.telemetry.logs.files.fields import FieldReader, parse_json, parse_logfmt
from holdfast.telemetry.logs.files.logfmt_lines import LogfmtReader
from holdfast.telemetry.logs.files.objects import ObjectReader
from holdfast.telemetry.logs.files.tally import PatternBook
from holdfast.telemetry.logs.files.texts import TextReader, severities, syslog_level
from holdfast.telemetry.logs.files.times import Minutes, TimeKeys
from holdfast.telemetry.logs.levels import levels_of_lines

WORDS = st.text(st.sampled_from("ab7 0f-_.:/x\t\"'[]{}\\é"), max_size=40)
GOING_ON = (
    *("Traceback (most recent call last):", '  File "a.py"', "KeyError: 1", "\tat a.B.c", "Caused by: x.YError: 1", ""),
    *("During handling of the above exception, another", "org.shop.OrderException: 1", "\t... 3 more", "x"),
)
STAMPS = ("2026-01-31T12:{m:02d}:07.123Z", "2026-01-31 12:{m:02d}:07,123", "Jan 31 12:{m:02d}:07")


def told(reader):
    """Give what a reader has counted, patterns by their text."""
    reader.finish()
    patterns = Counter()
    for row in reader.book.rows.values():
        patterns[row.text, row.level, tuple(row.parts)] += 1
    tally = reader.tally
    paths = {
        name: (row.requests, row.errors, row.durations.bins.tolist(), row.durations.longest_s)
        for name, row in tally.paths.items()
    }
    counters = {
        name: dict(+getattr(tally, name)) for name in ("levels", "statuses", "clients", "methods", "exceptions")
    }
    times = {name: dict(+getattr(tally, name)) for name in ("minutes", "bad_minutes")}
    took = (tally.durations.bins.tolist(), tally.durations.longest_s)
    return tally.records, tally.unread, patterns, paths, counters, times, took


def request(dice):
    path = dice.choice(("/a/{n}", "/b?x={n}", "/c/{n:032x}", "/d/report_{m}_a.pdf", "/", "/e/x{m}y{m}"))
    asked = f"{dice.choice(('GET', 'POST'))} {path.format(n=dice.getrandbits(60), m=dice.randrange(99))} HTTP/1.1"
    return (
        f"{dice.choice(('10.0.0.{m}', 'fe80::{m}:1', 'host-{m}')).format(m=dice.randrange(5))} - "
        f'{dice.choice(("-", "bob"))} [10/Oct/2025:13:{dice.randrange(60):02d}:36 +0000] "{asked}" '
        f'{dice.choice((200, 404, 500, 503))} {dice.randrange(10**5)} "-" "agent {dice.randrange(9)} (x; y)" '
        f"{dice.choice(('0.{m:03d}', '{m}00', '-')).format(m=dice.randrange(900))}"
    )


def odd_request(dice):
    line = request(dice)
    return dice.choice(
        (
            line.replace('"', "", 1),
            line.replace("GET", 'G\\"ET'),
            line + " more",
            "what is this",
            line.replace(" 200 ", " x "),
        )
    )


def json_row(dice):
    row = {
        "ts": dice.choice((1_790_000_000 + dice.randrange(9999), 1_790_000_000.5)),
        "level": dice.choice(("info", "WARN", "error", "odd", "")),
        "msg": dice.choice(("order {n} placed", "id {h} lost", "", "two\nlines {n}", "ERROR: {n}")).format(
            n=dice.randrange(10**6), h=f"{dice.getrandbits(64):016x}"
        ),
        "trace_id": f"{dice.getrandbits(64):x}",
    }
    if dice.random() < 0.6:
        row |= {"path": f"/o/{dice.randrange(99)}?a=b", "status": dice.choice((200, 404, 500)), "method": "GET"}
        row |= {"duration_ms": dice.random() * 900, "remote_addr": f"10.0.0.{dice.randrange(5)}"}
    if dice.random() < 0.05:
        row["stack"] = 'Traceback\nshop.OrderError: "no"'
    return json.dumps(row)


def lines_of(make, count=600, odd=None, share=0.05):
    dice = random.Random(make.__name__)
    return [(odd if odd and dice.random() < share else make)(dice) for _ in range(count)]


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_access_logs_count_the_same(monkeypatch, share):
    lines = lines_of(request, odd=odd_request, share=share)
    data = ("\n".join(lines) + "\n\n").encode()
    sample = [line.encode() for line in lines_of(request, 50)]
    fast, slow = AccessReader(sample), AccessReader(sample)
    fast.read(data, 1)
    none = requests.cut(b"", 11)[0]
    monkeypatch.setattr(access.requests, "cut", lambda text, count: (none, text))
    slow.read(data, 1)
    assert told(fast) == told(slow)
    assert fast.tally.records > 400


@pytest.mark.parametrize("is_broken", [False, True])
def test_json_lines_count_the_same(is_broken):
    lines = lines_of(json_row)
    if is_broken:
        lines[7:7] = ["{broken", "[1]", '{"msg": 5}', '{"level": ["x"], "msg": "odd"}', "{} {}", '{"path": null}']
    data = ("\n".join(lines) + "\n").encode()
    fast, slow = ObjectReader([line.encode() for line in lines[20:200]], None), FieldReader(parse_json, None)
    fast.read(data, 2)
    slow.read(data, 2)
    assert told(fast) == told(slow)


def logfmt_row(dice):
    message = dice.choice(("order {n} placed", "a = {n}", "gone", "caf\u00e9 {n}")).format(n=dice.randrange(999))
    words = [f"ts=2026-01-31T12:{dice.randrange(60):02d}:00Z", f"level={dice.choice(('info', 'WARN', 'error', ''))}"]
    words.append(f'msg="{message}"')
    if dice.random() < 0.5:
        words += [f"path=/o/{dice.randrange(99)}?a", "method=GET", f"status={dice.choice((200, 500))}"]
        words.append(f"took={dice.randrange(90)}ms")
    if dice.random() < 0.2:
        words += ["ip=10.0.0.1", "ip=10.0.0.2", 'error="boom at 7"', "empty="]
    return " ".join(words)


def odd_logfmt_row(dice):
    line = logfmt_row(dice)
    odd = [
        line.replace('"', "", 1),
        line.replace("msg", 'm\\"sg'),
        f"{line} more",
        f" {line}",
        f"{line}\tx=1",
        f'"{line}',
    ]
    odd += [line.replace(" ", "  ", 1), "no pair", f"{line} a=b=c", f'{line} x="y"z', "=x", f"{line} =x"]
    return dice.choice(odd)


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_logfmt_counts_the_same(share):
    data = ("\n".join(lines_of(logfmt_row, odd=odd_logfmt_row, share=share)) + "\n\n").encode()
    fast, slow = LogfmtReader(None), FieldReader(parse_logfmt, None)
    fast.read(data, 1)
    slow.read(data, 1)
    assert told(fast) == told(slow)
    assert fast.tally.durations.count > 100


@given(st.lists(st.text(st.sampled_from('ab= "\\\t7\u00e9'), max_size=12), min_size=1, max_size=12))
def test_any_logfmt_counts_the_same(lines):
    data = "".join(f"msg={line}\n" for line in lines).encode()
    fast, slow = LogfmtReader(None), FieldReader(parse_logfmt, None)
    fast.read_lines(data, 0)
    slow.read_lines(data, 0)
    assert told(fast)[:2] == told(slow)[:2]
    assert sum(row.records for row in fast.book.rows.values()) == fast.tally.records


def test_objects_that_say_nothing_are_counted():
    reader = ObjectReader([b'{"msg": "a"}'], None)
    reader.read(b'{"other": 1}\n{"msg": null}\n', 0)
    assert (reader.tally.records, reader.tally.levels) == (2, {"unknown": 2})


def test_durations_and_times_as_texts_count_the_same():
    lines = [
        json.dumps(
            {"time": f"2026-01-31T12:0{n % 7}:00Z", "lvl": 30 + n % 2 * 20, "took": f"{n}ms", "status": str(200 + n)}
        )
        for n in range(300)
    ]
    fast, slow = ObjectReader([line.encode() for line in lines[:50]], None), FieldReader(parse_json, None)
    for reader in (fast, slow):
        reader.read("\n".join(lines).encode() + b"\n", 0)
    assert told(fast) == told(slow)
    assert fast.tally.durations.count == 300


@pytest.mark.parametrize("stamp", STAMPS)
def test_text_counts_as_each_line_alone_would(stamp):
    dice = random.Random(3)
    lines = [
        f"{stamp.format(m=dice.randrange(60))} {dice.choice(('INFO', 'ERROR', 'WARN'))} "
        f"{dice.choice(('order {n} of {h} placed', 'worker{n} up', 'queue{n} up'))}".format(
            n=dice.randrange(999), h=f"{dice.getrandbits(64):016x}"
        )
        for _ in range(2000)
    ]
    reader = TextReader([line.encode() for line in lines[:100]])
    reader.read("\n".join(lines).encode() + b"\n", 0)
    minutes = Minutes()
    assert reader.tally.minutes == Counter(minutes(line) for line in lines)
    assert reader.tally.levels == Counter(levels_of_lines(lines))
    book = PatternBook()
    for line, level in zip(lines, levels_of_lines(lines), strict=True):
        book.add(book.find(line, level), 0, 1)
    assert {(row.text, row.level): row.records for row in reader.book.rows.values()} == {
        (row.text, row.level): row.records for row in book.rows.values()
    }
    assert len(book.rows) >= 6


def test_times_behind_something_of_any_length_are_found():
    lines = [f"{'x' * (n % 9)} [2026-01-31 12:{n % 60:02d}:00] hello {n}".encode() for n in range(120)]
    text = b"\n".join([*lines, b"no time", b"[none]", b""])
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == 10)
    found = TimeKeys(lines).minutes(np.frombuffer(text, np.uint8), np.append(0, ends[:-1] + 1), ends)
    minutes = Minutes()
    assert [found.minutes[code] for code in found.codes] == [minutes(line) for line in lines] + [None, None]


def without_ids(line):
    def bare(found):
        word = found[0]
        digits = sum(letter in b"0123456789" for letter in word)
        is_hex = len(word) >= 8 and digits and re.fullmatch(rb"[0-9a-fA-F]+", word)
        before = line[found.start() - 1 : found.start()]
        return b"0" if (is_hex or (len(word) >= 20 and digits > 1)) and before != b"." else re.sub(rb"\d", b"", word)

    return re.sub(rb"[0-9A-Za-z_-]+", bare, line)


@given(st.lists(WORDS, max_size=8))
@example(["a.deadbeef01 deadbeef01", "aaaaaaaaaaaaaaaaaaaa11", "0123456789abcdef-"])
def test_ids_are_taken_out_as_by_an_expression(lines):
    given_ = [line.encode() for line in lines]
    assert shapes.without_ids(given_) == [without_ids(line) for line in given_]


@given(st.lists(st.one_of(WORDS, st.sampled_from(GOING_ON)), max_size=30))
def test_joining_looks_only_around_lines_that_go_on(lines):
    block = "\n".join([*lines, ""]).encode()
    whole = traces._join(block)  # what joining all of it at once gives
    is_hinted = any(line[:1] in " \t" or line.startswith(("Traceb", "Caused b", "During h")) for line in lines if line)
    assert traces.join(block) == (whole if is_hinted else block)


@pytest.mark.parametrize("line", [b"<11>x", b"<191>1 x", b"<7>", b"<>x", b"<1234>x", b"<1x>", b"x", b"<", b""])
def test_priorities_are_read_as_they_stand(line):
    found = re.match(rb"<(\d{1,3})>", line)
    assert severities(np.frombuffer(line + b"\n", np.uint8), np.zeros(1, np.int64))[0] == (
        int(found[1]) % 8 if found else -1
    )
    assert bool(syslog_level(line)) == bool(found)


def test_lines_that_differ_in_their_priority_only_keep_their_levels(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("".join(f"<{n}>Jan 31 12:00:00 web sshd[17]: bye\n" for n in (11, 14, 12) * 5))
    assert analysing.analyse([path]).tally.levels == {"error": 5, "info": 5, "warn": 5}
