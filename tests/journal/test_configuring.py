"""Presets, `dictConfig`, structlog beside us: the ways in which a program switches the journal on."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
import structlog
from structlog.testing import capture_logs

from holdfast import journal


@pytest.mark.parametrize(("name", "format_"), [("development", "pretty"), ("test", "logfmt"), ("production", "json")])
def test_presets_are_arguments_that_can_be_changed(name, format_):
    chosen = journal.preset(name, level="error")
    assert chosen == {"level": "error", "format": format_}
    journal.configure(**chosen, stream=io.StringIO())


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="choose development, test, production"):
        journal.preset("prod")


def test_a_handler_of_a_dict_config_writes_our_lines(tmp_path):
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "file": {
                    "class": "holdfast.journal.JournalHandler",
                    "service": "orders",
                    "file": str(tmp_path / "orders.log"),
                    "max_bytes": 10_000_000,
                }
            },
            "loggers": {"ours": {"handlers": ["file"], "level": "INFO", "propagate": False}},
        }
    )
    with journal.bind(order_id=7):
        logging.getLogger("ours").warning("paid %s", 3, extra={"password": "x"})
    logging.getLogger("ours").handlers[0].sink.close()
    line = json.loads((tmp_path / "orders.log").read_text())
    assert (line["event"], line["order_id"], line["password"], line["service"]) == ("paid 3", 7, "***", "orders")


def test_a_formatter_of_a_dict_config_writes_our_lines():
    stream = io.StringIO()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "ours": {"()": "holdfast.journal.JournalFormatter", "service": "orders", "format": "logfmt"}
            },
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "ours", "stream": stream}},
            "loggers": {"formatted": {"handlers": ["out"], "level": "INFO", "propagate": False}},
        }
    )
    logging.getLogger("formatted").info("started", extra={"port": 80})
    assert stream.getvalue().endswith(" level=info event=started service=orders logger=formatted port=80\n")


@pytest.mark.parametrize(
    "options", [{"max_bytes": 3}, {"file": "x", "stream": io.StringIO()}, {"format": "xml"}], ids=lambda o: str(list(o))
)
def test_a_handler_refuses_what_makes_no_sense(options):
    with pytest.raises(ValueError):
        journal.JournalHandler(**options)


def test_structlogs_own_way_of_catching_lines_catches_ours(lines):
    with capture_logs() as caught:
        journal.get_logger("x").info("seen", n=1)
    journal.get_logger("x").info("after")
    assert caught == [{"event": "seen", "n": 1, "log_level": "info"}]
    assert [event["event"] for event in lines.events] == ["after"]


def test_a_bound_logger_carries_its_fields_and_lets_go_of_them(lines):
    log = journal.get_logger("x").bind(order_id=7, step="pay")
    log.info("a")
    log.unbind("order_id").info("b")
    log.new(fresh=1).info("c", order_id=9)
    log.info("d", order_id=8)
    assert [event.get("order_id") for event in lines.events] == [7, None, 9, 8]
    assert [event.get("step") for event in lines.events] == ["pay", "pay", None, "pay"]
    with pytest.raises(KeyError):
        log.unbind("unknown")


def test_variables_of_structlog_are_on_our_lines(lines):
    with structlog.contextvars.bound_contextvars(tenant="t1"):
        journal.get_logger().info("a")
    assert lines.last["tenant"] == "t1"


def test_positional_arguments_fill_the_event(lines):
    log = journal.get_logger()
    log.info("%s of %d", "a", 3)
    log.info("%d", "no number")
    assert lines.events[0]["event"] == "a of 3"
    assert "no number" in lines.events[1]["event"]


async def test_async_methods_write_too(lines):
    await journal.get_logger().ainfo("awaited", n=1)
    assert lines.last["n"] == 1


def test_a_value_that_breaks_its_own_reading_is_told_and_counted():
    class Broken(dict):
        def items(self):
            raise RuntimeError("no items")

    stream = io.StringIO()
    sink = journal.configure(stream=stream)
    journal.get_logger().info("odd", value=Broken(a=1))
    line = json.loads(stream.getvalue())
    assert line["event"] == "odd"
    assert line["journal.error"] == "RuntimeError: no items"
    assert sink.failed == 1
