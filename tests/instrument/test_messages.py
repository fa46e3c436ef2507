"""Messages through a broker: counted on both sides, one trace from sender to worker."""

from __future__ import annotations

import pytest

from holdfast import journal
from holdfast.instrument import processing, sending


def test_a_message_carries_trace_and_correlation_to_who_works_on_it(registry, figures, kept_spans):
    headers = {"Nats-Msg-Id": "1"}
    with journal.bind(correlation_id="req-1"), sending("nats", "orders.placed", headers, registry):
        pass
    with processing("nats", "orders.placed", {name.title(): value for name, value in headers.items()}, registry):
        assert journal.correlation_id() == "req-1"
        assert figures("messaging_process_active") == 1
    labels = {"system": "nats", "destination": "orders.placed"}
    assert figures("messaging_client_sent_messages_total", **labels) == 1
    assert figures("messaging_client_consumed_messages_total", **labels) == 1
    assert figures("messaging_process_duration_seconds_count", **labels) == 1
    assert figures("messaging_process_active", **labels) == 0
    sent, worked = kept_spans.get_finished_spans()
    assert (sent.kind.name, worked.kind.name) == ("PRODUCER", "CONSUMER")
    assert worked.context.trace_id == sent.context.trace_id
    assert worked.parent.span_id == sent.context.span_id


def test_what_fails_is_counted_by_side_and_error(registry, figures):
    with pytest.raises(ConnectionError), sending("nats", "orders", None, registry):
        raise ConnectionError
    with pytest.raises(ValueError), processing("nats", "orders", None, registry):
        raise ValueError
    assert figures("messaging_failures_total", operation="send", error="ConnectionError") == 1
    assert figures("messaging_failures_total", operation="process", error="ValueError") == 1
    assert figures("messaging_client_sent_messages_total") is None


def test_destinations_are_bounded(registry, figures):
    for number in range(300):
        with sending("nats", f"reply.{number}", None, registry):
            pass
    assert len(figures.values("messaging_client_sent_messages_total", "destination")) == 201
    assert figures("messaging_client_sent_messages_total", destination="other") == 100
