"""Lines of a run: masked, cut, written some at a time, and counted when there are too many."""

from __future__ import annotations

import asyncio
import threading

import orjson
import pytest

from holdfast.kernel.runs.output import MAX_LINE_CHARS, TAIL_LINES, RunOutput
from holdfast.kernel.secrets import Redactor, Secret


class Journal:
    """What was handed on, batch by batch."""

    def __init__(self) -> None:
        self.batches = []
        self.has_lines = asyncio.Event()

    def write(self, lines) -> None:
        self.batches.append(lines)
        self.has_lines.set()

    @property
    def lines(self):
        return [line for batch in self.batches for line in batch]

    @property
    def texts(self):
        return [line.text for line in self.lines]


@pytest.fixture
async def journal():
    return Journal()


@pytest.fixture
def open_output(journal, fake_clock):
    redactor = Redactor()
    redactor.learn(Secret("s3cret-value"))
    return lambda limit=1000: RunOutput(journal.write, redactor.mask, fake_clock, limit=limit, first_seq=71)


async def test_lines_keep_their_order_step_stream_and_time(open_output, journal, fake_clock):
    output = open_output()
    output.line("charge", "stdout", "one", {})
    output.line("", "log", "two", {"amount": 3})
    output.end()
    assert [(it.seq, it.step, it.stream, it.text, it.fields) for it in journal.lines] == [
        (71, "charge", "stdout", "one", None),
        (72, "", "log", "two", '{"amount":3}'),
    ]
    assert journal.lines[0].at == fake_clock.now()


async def test_lines_are_written_soon_although_nothing_follows(open_output, journal):
    open_output().line("", "log", "alone", {})
    await asyncio.wait_for(journal.has_lines.wait(), 30)
    assert journal.texts == ["alone"]


async def test_many_lines_make_few_writes(open_output, journal):
    output = open_output()
    for number in range(1000):
        output.line("", "stdout", str(number), {})
    output.end()
    assert journal.texts == [str(number) for number in range(1000)]
    assert len(journal.batches) <= 6


async def test_too_many_lines_are_counted_and_the_last_ones_kept(open_output, journal):
    output = open_output(limit=10)
    for number in range(500):
        output.line("", "stdout", str(number), {})
    output.end()
    assert journal.texts[:11] == [*map(str, range(10)), "the log is full: of what follows only the end is kept"]
    assert journal.texts[11] == "290 lines were dropped here (runs.log_lines keeps 10)"
    assert journal.texts[12:] == [str(number) for number in range(500 - TAIL_LINES, 500)]


async def test_secrets_are_masked_in_text_and_fields(open_output, journal):
    output = open_output()
    output.line("", "stdout", "key is s3cret-value, Authorization: Bearer abcdefgh12345678", {})
    output.line(
        "",
        "log",
        "x",
        {"password": "hunter22", "url": ["https://a:b@host/"], "max_token": 5, "n": {"a": "s3cret-value"}},
    )
    output.end()
    assert journal.texts[0] == "key is ***, Authorization: Bearer ***"
    told = orjson.loads(journal.lines[1].fields)
    assert told == {"password": "***", "url": ["https://***@host/"], "max_token": 5, "n": {"a": "***"}}


async def test_a_long_line_is_cut_and_nul_characters_go(open_output, journal):
    output = open_output()
    output.line("", "stdout", "x" * 20_000, {})
    output.line("", "stdout", "a\0b", {"c": "d\0e", "odd": object})
    output.end()
    assert journal.texts[0] == "x" * MAX_LINE_CHARS + " ... (line cut)"
    assert journal.texts[1] == "ab"
    assert orjson.loads(journal.lines[1].fields)["c"] == "de"


async def test_other_threads_may_write(open_output, journal):
    output = open_output()
    thread = threading.Thread(target=lambda: [output.line("", "log", str(n), {}) for n in range(50)])
    thread.start()
    await asyncio.to_thread(thread.join)
    await asyncio.sleep(0)
    output.end()
    assert journal.texts == [str(n) for n in range(50)]
