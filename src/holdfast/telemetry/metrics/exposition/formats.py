"""Which format a page is in: what a scrape asks for (`Accept`), and what the answer says it is (`Content-Type`).

Source: Prometheus 3, `scrape_protocols` and `fallback_scrape_protocol`; escaping as its `escaping=` parameter.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.exposition.openmetrics import parse_openmetrics
from holdfast.telemetry.metrics.exposition.page import ExpositionError, Page
from holdfast.telemetry.metrics.exposition.protobuf import parse_protobuf
from holdfast.telemetry.metrics.exposition.text import parse_text

if TYPE_CHECKING:
    from collections.abc import Sequence


class Protocol(StrEnum):
    """The formats by the names that `scrape_protocols` knows."""

    PROTOBUF = "PrometheusProto"
    TEXT = "PrometheusText0.0.4"
    TEXT1 = "PrometheusText1.0.0"
    OPENMETRICS0 = "OpenMetricsText0.0.1"
    OPENMETRICS1 = "OpenMetricsText1.0.0"

    @property
    def is_openmetrics(self) -> bool:
        """Tell whether this is OpenMetrics text."""
        return self in {Protocol.OPENMETRICS0, Protocol.OPENMETRICS1}


ALL_PROTOCOLS: Final = tuple(Protocol)
DEFAULT_PROTOCOLS: Final = (Protocol.OPENMETRICS1, Protocol.OPENMETRICS0, Protocol.TEXT1, Protocol.TEXT)
NATIVE_PROTOCOLS: Final = (Protocol.PROTOBUF, *DEFAULT_PROTOCOLS)

_MEDIA: Final = {
    Protocol.PROTOBUF: "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    Protocol.TEXT: "text/plain;version=0.0.4",
    Protocol.TEXT1: "text/plain;version=1.0.0",
    Protocol.OPENMETRICS0: "application/openmetrics-text;version=0.0.1",
    Protocol.OPENMETRICS1: "application/openmetrics-text;version=1.0.0",
}
_WITH_ESCAPING: Final = {Protocol.OPENMETRICS1, Protocol.TEXT1}


def accept_header(protocols: Sequence[Protocol], escaping: str) -> str:
    """Give the `Accept` header that asks for `protocols`, the first best, and for names escaped by `escaping`."""
    weight = len(ALL_PROTOCOLS) + 1
    parts = []
    for protocol in protocols:
        media = _MEDIA[protocol] + (f";escaping={escaping}" if protocol in _WITH_ESCAPING else "")
        parts.append(f"{media};q=0.{weight}")
        weight -= 1
    return ",".join((*parts, f"*/*;q=0.{weight}"))


def negotiated(content_type: str, fallback: Protocol | None) -> Protocol:
    """Give the format that an answer's `Content-Type` names.

    Raises:
        ExpositionError: it names none that is understood, and there is no fallback.
    """
    media, *rest = (part.strip() for part in content_type.split(";"))
    parameters = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in rest)}
    match media.lower():
        case "application/openmetrics-text":
            return Protocol.OPENMETRICS0 if parameters.get("version") == "0.0.1" else Protocol.OPENMETRICS1
        case "application/vnd.google.protobuf" if (
            parameters.get("proto", "").strip('"') == "io.prometheus.client.MetricFamily"
            and parameters.get("encoding", "delimited").strip('"') == "delimited"
        ):
            return Protocol.PROTOBUF
        case "text/plain":
            return Protocol.TEXT1 if parameters.get("version") == "1.0.0" else Protocol.TEXT
    if fallback is not None:
        return fallback
    given = f"the Content-Type {content_type[:100]!r} is no format of metrics" if media else "there is no Content-Type"
    raise ExpositionError(given, hint="set fallback_scrape_protocol if the target is known to speak one")


def parse_page(page: bytes, protocol: Protocol, *, is_native: bool = False, is_classic_too: bool = False) -> Page:
    """Parse a page strictly; raises `ExpositionError`."""
    if protocol is Protocol.PROTOBUF:
        return parse_protobuf(page, is_native=is_native, is_classic_too=is_classic_too)
    return parse_openmetrics(page) if protocol.is_openmetrics else parse_text(page)
