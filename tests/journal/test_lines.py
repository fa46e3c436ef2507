"""What a line looks like, whoever logged it, and that logging never harms the program."""

from __future__ import annotations

import io
import json
import logging
import re
from decimal import Decimal

import pytest
import structlog

from holdfast import journal

early = journal.get_logger(__name__)


def test_a_line_carries_time_level_event_and_service_first(lines):
    journal.get_logger("shop.orders").info("order_placed", order_id=7, amount=Decimal("1.50"))
    assert list(lines.last)[:3] == ["timestamp", "level", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", lines.last["timestamp"])
    assert lines.last | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "order_placed",
        "service": "orders",
        "logger": "shop.orders",
        "order_id": 7,
        "amount": "1.50",
    }


def test_a_logger_made_before_configuration_follows_it(lines):
    early.info("late")
    assert lines.last["event"] == "late"


def test_reconfiguration_holds_for_loggers_that_already_logged(lines):
    early.info("first")
    elsewhere = io.StringIO()
    journal.configure(level="error", stream=elsewhere)
    early.info("not wanted")
    early.error("second")
    assert [event["event"] for event in lines.events] == ["first"]
    assert json.loads(elsewhere.getvalue())["event"] == "second"


def test_lines_below_the_level_are_not_written():
    stream = io.StringIO()
    journal.configure(level="warning", stream=stream)
    early.info("quiet")
    logging.getLogger("lib").info("quiet")
    early.warning("loud")
    logging.getLogger("lib").warning("loud")
    assert len(stream.getvalue().splitlines()) == 2


def test_standard_logging_joins_with_its_extra_fields(lines):
    logging.getLogger("urllib3.pool").warning("retrying %s", "db-1", extra={"attempt": 2})
    assert lines.last["event"] == "retrying db-1"
    assert (lines.last["logger"], lines.last["attempt"], lines.last["service"]) == ("urllib3.pool", 2, "orders")


def test_plain_structlog_loggers_join(lines):
    structlog.get_logger().info("direct")
    assert lines.last["event"] == "direct"


def test_a_terminal_handler_from_before_does_not_write_twice(lines, capsys):
    logging.getLogger().addHandler(logging.StreamHandler())
    journal.configure(stream=lines.stream)
    logging.getLogger("lib").warning("once")
    assert len(lines.events) == 1
    assert not capsys.readouterr().err


def test_an_error_is_described_by_type_message_and_stack(lines):
    try:
        {}["sku"]
    except KeyError:
        early.exception("lookup_failed")
        logging.getLogger("lib").exception("lookup failed")
    for event in lines.events:
        assert event["level"] == "error"
        assert event["exception.type"] == "KeyError"
        assert event["exception.message"] == "'sku'"
        assert "test_lines.py" in event["exception.stacktrace"]


def test_a_field_named_like_ours_does_not_replace_it(lines):
    early.info("x", level="mine", timestamp="never")
    assert lines.last["level"] == "info"
    assert (lines.last["level_"], lines.last["timestamp_"]) == ("mine", "never")


def test_strange_values_still_make_valid_json(lines):
    early.info("strange", nan=float("nan"), nested={"inf": [float("inf")]}, raw=b"\xff", lone="\ud800", s={1})
    assert lines.last["nan"] == "nan"
    assert lines.last["nested"] == {"inf": ["inf"]}
    assert lines.last["s"] == [1]


def test_structures_that_contain_themselves_are_cut(lines):
    loop: dict = {}
    loop["self"] = loop
    early.info("loop", loop=loop)
    assert "<dict>" in lines.text


def test_a_value_that_cannot_be_shown_does_not_end_the_program(lines):
    class Rude:
        def __str__(self):
            raise RuntimeError("no")

    early.info("rude", value=Rude())
    assert lines.last["value"] == "<Rude whose __str__ raised RuntimeError>"


def test_a_very_long_value_is_cut(lines):
    early.info("long", body="x" * 1_000_000)
    assert len(lines.text) < 40_000
    assert "more)" in lines.last["body"]


def test_a_closed_stream_drops_lines_and_counts_them():
    stream = io.StringIO()
    sink = journal.configure(stream=stream)
    stream.close()
    early.info("lost")
    assert sink.dropped == 1


def test_a_stream_that_cannot_encode_still_gets_the_line():
    raw = io.BytesIO()
    journal.configure(stream=io.TextIOWrapper(raw, encoding="ascii"))
    early.info("grüße")
    assert json.loads(raw.getvalue())["event"] == "grüße"


def test_logfmt_quotes_what_could_be_misread():
    stream = io.StringIO()
    journal.configure(service="orders", format="logfmt", stream=stream)
    early.info("placed", note='two words="x"\n', ok=True, none=None, empty="", tags=["a b"])
    line = stream.getvalue()
    assert len(line.splitlines()) == 1
    assert r'note="two words=\"x\"\n"' in line
    assert ' ok=true none= empty="" tags=' in line
    assert "event=placed" in line


def test_pretty_lines_are_for_reading():
    stream = io.StringIO()
    journal.configure(format="pretty", stream=stream)
    early.warning("disk_low", free="3 GiB")
    assert "disk_low" in stream.getvalue()
    assert "free=" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("wrong", [{"level": "loud"}, {"format": "xml"}])
def test_a_wrong_choice_is_refused_and_the_right_ones_named(wrong):
    with pytest.raises(ValueError, match=r"choose .*(debug|json)"):
        journal.configure(**wrong)
