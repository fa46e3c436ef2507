"""Whatever is logged comes out as one valid line."""

from __future__ import annotations

import io
import json
import logging

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import journal

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text()
    | st.characters(categories=["Cs"])
    | st.binary()
    | st.datetimes()
    | st.decimals(allow_nan=False)
    | st.sampled_from([5000, 400, 64]).map(lambda digits: -(10**digits))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4) | st.sets(st.integers()),
    max_leaves=20,
)
NAMES = st.text(max_size=20) | st.sampled_from(["service", "logger", "trace_id", "password", "level", "event", "a"])
FIELDS = st.dictionaries(NAMES.filter(lambda name: name not in {"self", "event", "exc_info"}), VALUES, max_size=5)
TEXTS = st.text() | st.sampled_from(["http://u:p@h", "Bearer abcDEF123==", "a\nb", "\ud800", '"'])
log = journal.get_logger("made.up")


def written(format_, write):
    stream = io.StringIO()
    journal.configure(service="orders", level="debug", format=format_, stream=stream)
    write()
    text = stream.getvalue()
    assert text.endswith("\n")
    return text[:-1]


@settings(max_examples=150, deadline=None)
@given(TEXTS, FIELDS, FIELDS, FIELDS)
def test_any_values_make_one_line_of_valid_json(event, own, context, bound):
    def write():
        with journal.bind(**context):
            log.bind(**bound).info(event, **own)

    line = written("json", write)
    assert "\n" not in line
    line.encode()
    read = json.loads(line, parse_constant=refuse)
    assert list(read)[:3] == ["timestamp", "level", "event"]
    assert "journal.error" not in read
    if "password" in own and isinstance(own["password"], str):
        assert read["password"] == journal.MASK


def refuse(name):
    raise AssertionError(f"{name} is no JSON")


@settings(max_examples=150, deadline=None)
@given(TEXTS, FIELDS)
def test_any_values_make_one_line_of_logfmt(event, own):
    line = written("logfmt", lambda: log.warning(event, **own))
    assert "\n" not in line
    assert line.startswith("timestamp=")
    line.encode()


@settings(max_examples=50, deadline=None)
@given(st.text(), FIELDS)
def test_any_extra_of_logging_makes_one_line_of_json(message, extra):
    known = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
    extra = {name: value for name, value in extra.items() if name not in known}
    line = written("json", lambda: logging.getLogger("lib").error("%s", message, extra=extra))
    assert json.loads(line)["logger"] if "logger" not in extra else json.loads(line)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=30), max_size=4))
def test_the_fast_and_the_careful_way_give_the_same_line(own):
    own = {f"f_{name}": value for name, value in own.items()}

    def fields_of(write):
        return {name: value for name, value in json.loads(written("json", write)).items() if name != "timestamp"}

    def carefully():
        with journal.bind(service="orders"):  # a name of the head, bound: the line is built from a dict
            log.info("same", **own)

    assert fields_of(lambda: log.info("same", **own)) == fields_of(carefully)
