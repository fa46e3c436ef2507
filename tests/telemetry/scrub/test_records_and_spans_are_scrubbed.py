"""Records and spans keep their shape, and lose what may not be kept, wherever it stands."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from fixtures.logs import Line, arrival, rows, wanted
from fixtures.traces import Row, spans
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.secrets import Secret
from holdfast.telemetry.logs import Attributes, MemoryLogSink, MemoryLogSource, Records
from holdfast.telemetry.scrub import (
    Action,
    Kind,
    LogScrubber,
    OwnPattern,
    Scrubbing,
    ScrubSettings,
    TenantScrubbing,
    TraceScrubber,
)

MAIL = "bob@example.org"
CARD = "4111111111111111"


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def scrubbing(registry):
    def build(**settings) -> Scrubbing:
        return Scrubbing(ScrubSettings(**settings), registry)

    return build


def records(*bodies: str, **columns) -> Records:
    return Records(np.zeros(len(bodies), np.int64), np.arange(len(bodies), dtype=np.int64), list(bodies), **columns)


async def test_all_that_a_sender_says_is_scrubbed_on_its_way_into_the_store(scrubbing):
    source = MemoryLogSource()
    sink = MemoryLogSink(source, scrubber=LogScrubber(scrubbing()))
    line = Line(
        5, f"mail {MAIL}", {"service_name": "shop", "owner": MAIL}, {"card": CARD, "db_password": "x", "n": "1"}
    )
    ids = {"trace_ids": [MAIL], "span_ids": ["4111111111111111"], "severity_texts": [f"ERROR {MAIL}"]}
    await sink.append(DEFAULT_TENANT, arrival(sink, [line], **ids))
    [(_, body, labels, metadata)] = await rows(source, wanted())
    assert body == "mail [email]"
    assert labels == {"service_name": "shop", "owner": "[email]"}
    assert metadata == {
        "card": "[card]",
        "db_password": "[password]",
        "n": "1",
        "trace_id": "[email]",
        "span_id": "4111111111111111",  # an id, though it looks like a card
        "severity_text": "ERROR [email]",
        "detected_level": "error [email]",
    }


def test_clean_records_and_spans_are_the_same_objects(scrubbing):
    clean = records("a", "b", attributes=Attributes.of([{"k": "v"}, {}]), trace_ids=["ab" * 16, ""])
    assert LogScrubber(scrubbing()).scrub(DEFAULT_TENANT, clean) is clean
    trace = spans([Row(1, 2, attributes={"n": 3}), Row(1, 3)])
    assert TraceScrubber(Scrubbing(ScrubSettings(), CollectorRegistry())).scrub(DEFAULT_TENANT, trace) is trace


def test_a_field_is_dropped_and_the_others_stay_with_their_records(scrubbing):
    scrubber = LogScrubber(scrubbing(kinds={Kind.EMAIL: Action.DROP}))
    scrubbed = scrubber.scrub(
        DEFAULT_TENANT,
        records(
            "a", f"b {MAIL}", "c", attributes=Attributes.of([{"m": MAIL, "x": "1"}, {"y": "2"}, {"z": "3", "m": MAIL}])
        ),
    )
    assert scrubbed.bodies == ["a", "b ", "c"]
    assert scrubbed.attributes is not None
    assert [scrubbed.attributes.row(number) for number in range(3)] == [{"x": "1"}, {"y": "2"}, {"z": "3"}]
    assert scrubber.scrub_labels(DEFAULT_TENANT, (("a", "1"), ("mail", MAIL))) == (("a", "1"),)


def test_tenants_have_their_own_actions_and_patterns(scrubbing, registry):
    own = TenantScrubbing({Kind.EMAIL: Action.KEEP}, (OwnPattern("order", "ORD-[0-9]+", Action.HASH),))
    scrubber = LogScrubber(scrubbing(salt=Secret("salt"), tenants={"acme": own}))
    line = records(f"ORD-7 of {MAIL}")
    (theirs,) = scrubber.scrub(TenantId("acme"), line).bodies
    assert theirs.startswith("[order:")
    assert theirs.endswith(f"of {MAIL}")
    assert list(scrubber.scrub(DEFAULT_TENANT, line).bodies) == ["ORD-7 of [email]"]
    for kind, action in (("order", "hash"), ("email", "mask")):
        labels = {"signal": "logs", "kind": kind, "action": action}
        assert registry.get_sample_value("holdfast_scrub_finds_total", labels) == 1


def test_hashing_without_a_salt_is_refused(scrubbing):
    with pytest.raises(InvalidError, match=r"scrub\.salt"):
        scrubbing(kinds={Kind.EMAIL: Action.HASH})


def test_two_own_patterns_of_a_name_are_refused(scrubbing):
    with pytest.raises(InvalidError, match="two patterns are called 'card'"):
        scrubbing(own=[OwnPattern("card", "x")])


def test_spans_are_scrubbed_everywhere_and_keep_their_types(scrubbing):
    events = json.dumps(
        [
            {
                "ts_ns": 4111111111111111,
                "name": f"to {MAIL}",
                "attributes": {"card": int(CARD), "token": "t", "a\nb": "c\n" + CARD},
            }
        ]
    )
    links = json.dumps(
        [{"trace_id": "ab" * 16, "span_id": "cd" * 8, "attributes": {"mail": MAIL, "n": [1, MAIL, None]}}]
    )
    sent = spans(
        [
            Row(1, 1, attributes={"n": 7, "card": int(CARD), "ok": True}, events=events, links=links),
            Row(1, 2, name=f"GET /{MAIL}", attributes={"list": [MAIL], MAIL: "x"}, resource={"owner": MAIL}),
        ]
    )
    first, second = list(TraceScrubber(scrubbing()).scrub(DEFAULT_TENANT, sent))
    assert first.attributes == {"n": 7, "card": "[card]", "ok": True}
    assert first.events == [
        {
            "ts_ns": 4111111111111111,
            "name": "to [email]",
            "attributes": {"card": "[card]", "token": "[password]", "a\nb": "c\n[card]"},
        }
    ]
    assert first.links[0] == {
        "trace_id": "ab" * 16,
        "span_id": "cd" * 8,
        "attributes": {"mail": "[email]", "n": [1, "[email]", None]},
    }
    assert second.name == "GET /[email]"
    assert second.attributes == {"list": ["[email]"], "email": "x"}
    assert second.resource["owner"] == "[email]"


def test_dropped_attributes_of_spans_take_their_types_along(scrubbing):
    rows_ = [Row(1, 1, attributes={"mail": MAIL, "n": 7}), Row(1, 2, attributes={"f": 0.5, "mail": MAIL})]
    kept = list(TraceScrubber(scrubbing(kinds={Kind.EMAIL: Action.DROP})).scrub(DEFAULT_TENANT, spans(rows_)))
    assert [span.attributes for span in kept] == [{"n": 7}, {"f": 0.5}]


def test_what_is_found_in_many_spans_is_counted_as_often(scrubbing):
    events = json.dumps([{"ts_ns": 1, "name": MAIL, "attributes": {}}])
    sent = spans([Row(1, number, name=MAIL, attributes={"to": MAIL, "n": 1}, events=events) for number in range(1, 8)])
    by = scrubbing()
    kept = list(TraceScrubber(by).scrub(DEFAULT_TENANT, sent))
    assert {(span.name, span.attributes["to"], span.events[0]["name"]) for span in kept} == {("[email]",) * 3}
    assert by.finds[DEFAULT_TENANT, "traces", "email", Action.MASK] == 21
