"""Which formats a scrape asks for, and how an answer's Content-Type is understood."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.exposition import (
    DEFAULT_PROTOCOLS,
    ExpositionError,
    Protocol,
    accept_header,
    negotiated,
)


def test_the_accept_header_prefers_openmetrics_and_falls_back_to_anything():
    header = accept_header(DEFAULT_PROTOCOLS, "allow-utf-8")
    assert header == (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    )


@pytest.mark.parametrize(
    ("content_type", "protocol"),
    [
        ("text/plain; version=0.0.4; charset=utf-8", Protocol.TEXT),
        ("text/plain", Protocol.TEXT),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", Protocol.OPENMETRICS1),
        ("application/openmetrics-text; version=0.0.1", Protocol.OPENMETRICS0),
        (
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            Protocol.PROTOBUF,
        ),
    ],
)
def test_the_content_type_names_the_format(content_type, protocol):
    assert negotiated(content_type, None) is protocol


@pytest.mark.parametrize("content_type", ["", "text/html", "application/vnd.google.protobuf; encoding=text"])
def test_another_content_type_needs_a_fallback(content_type):
    with pytest.raises(ExpositionError, match=r"format of metrics|no Content-Type"):
        negotiated(content_type, None)
    assert negotiated(content_type, Protocol.TEXT) is Protocol.TEXT
