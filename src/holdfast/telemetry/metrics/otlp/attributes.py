"""Attributes of OpenTelemetry as labels: every kind of value as text, keys that fall on one label joined.

Source: Prometheus' otlptranslator; OpenTelemetry's specification of attribute values for other systems.
"""

from __future__ import annotations

import base64
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.telemetry.metrics.otlp.naming import LabelStyle, label_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


_LEAST_PLAIN: Final = 1e-6
_LEAST_LONG: Final = 1e21
_LEAST_WIDE: Final = 2.0**63  # what JSON here has no integers for


def to_labels(attributes: Iterable[KeyValue], style: LabelStyle, *, prefix: str = "") -> dict[str, str]:
    """Give the labels of attributes; values of keys that become the same label are joined by `;`, sorted by key.

    `prefix` stands before each key.
    """
    labels: dict[str, str] = {}
    for key, value in sorted((each.key, to_text(each.value)) for each in attributes):
        name = label_name(f"{prefix}{key}", style)
        labels[name] = f"{labels[name]};{value}" if name in labels else value
    return labels


def to_text(value: AnyValue) -> str:
    """Give a value as text: a float as short as it is exact, lists and maps as JSON, bytes as base64.

    Keys of maps are sorted, so that one value is one text.
    """
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    write = _WRITERS.get(kind or "")
    return write(getattr(value, kind)) if write and kind else _write_nested(value) if kind else ""


def _write_nested(value: AnyValue) -> str:
    return orjson.dumps(_to_plain(value), option=orjson.OPT_SORT_KEYS).decode()


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def write_float(value: float) -> str:
    """Give a number as Go writes it in JSON: the shortest exact digits, with an exponent where that gets long."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value and not _LEAST_PLAIN <= abs(value) < _LEAST_LONG:
        return repr(value).replace("e-0", "e-")
    return plain_number(value)


def plain_number(value: float) -> str:
    """Give a bound or a quantile as Prometheus' OTLP receiver writes it: the shortest exact digits, no exponent."""
    if math.isnan(value) or math.isinf(value):
        return write_float(value)
    text = repr(value)
    text = format(Decimal(text), "f") if "e" in text else text
    return text.removesuffix(".0")


def _to_plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_to_plain(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return {each.key: _to_plain(each.value) for each in value.kvlist_value.values}
    if kind == "bytes_value":
        return _write_bytes(value.bytes_value)
    if kind == "double_value" and value.double_value.is_integer() and abs(value.double_value) < _LEAST_WIDE:
        return int(value.double_value)
    return getattr(value, kind) if kind else None


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    "bool_value": lambda value: "true" if value else "false",
    "int_value": str,
    "double_value": write_float,
    "bytes_value": _write_bytes,
}
