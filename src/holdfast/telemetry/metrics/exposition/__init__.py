"""What targets expose, as bytes: Prometheus text 0.0.4, OpenMetrics text 1.0 and Prometheus protobuf.

Owns the formats: strict parsers that give whole families, and templates that read a known page fast. Refuses to fetch
a page, to relabel, and to store: those are `scrape`'s and the sink's.
"""

from holdfast.telemetry.metrics.exposition.bounds import write_bound
from holdfast.telemetry.metrics.exposition.formats import (
    ALL_PROTOCOLS,
    DEFAULT_PROTOCOLS,
    NATIVE_PROTOCOLS,
    Protocol,
    accept_header,
    negotiated,
    parse_page,
)
from holdfast.telemetry.metrics.exposition.lexis import help_text as read_help
from holdfast.telemetry.metrics.exposition.lexis import label_pairs as read_label_pairs
from holdfast.telemetry.metrics.exposition.lexis import unquoted as read_quoted
from holdfast.telemetry.metrics.exposition.openmetrics import parse_exemplar, parse_openmetrics
from holdfast.telemetry.metrics.exposition.page import ExpositionError, Family, Page, PageExemplar, PageSample
from holdfast.telemetry.metrics.exposition.protobuf import parse_protobuf
from holdfast.telemetry.metrics.exposition.protobuf_schema import metric_family
from holdfast.telemetry.metrics.exposition.template import Reading, Template, make_template
from holdfast.telemetry.metrics.exposition.text import parse_text

__all__ = [
    "ALL_PROTOCOLS",
    "DEFAULT_PROTOCOLS",
    "NATIVE_PROTOCOLS",
    "ExpositionError",
    "Family",
    "Page",
    "PageExemplar",
    "PageSample",
    "Protocol",
    "Reading",
    "Template",
    "accept_header",
    "make_template",
    "metric_family",
    "negotiated",
    "parse_exemplar",
    "parse_openmetrics",
    "parse_page",
    "parse_protobuf",
    "parse_text",
    "read_help",
    "read_label_pairs",
    "read_quoted",
    "write_bound",
]
