"""How the bounds of buckets and quantiles are written as labels, whatever way a target wrote them: `1` becomes `1.0`.

Prometheus 3 does so for every format, so that one histogram scraped by two protocols is one set of series.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.exposition.page import PageSample

_EDGES: Final = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}
_MANY_DIGITS: Final = 6  # from this exponent on Go's shortest format writes 1e+06


def canonical(sample: PageSample, kind: str) -> PageSample:
    """Give `sample` with the bound of a bucket or quantile written the canonical way."""
    edge = _EDGES.get(kind)
    if edge is None:
        return sample
    labels = tuple((name, _rewritten(value)) if name == edge else (name, value) for name, value in sample.labels)
    return sample if labels == sample.labels else sample._replace(labels=labels, edge=edge)


def write_bound(value: float) -> str:
    """Give `value` as OpenMetrics writes bounds: the shortest exact digits, always with a point or an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    power = exponent + len(text) - 1
    minus = "-" if sign else ""
    if power < -4 or power >= _MANY_DIGITS:
        mantissa = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
        return f"{minus}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    plain = format(Decimal((0, digits, exponent)), "f")
    return f"{minus}{plain}" if "." in plain else f"{minus}{plain}.0"


def _rewritten(text: str) -> str:
    try:
        return write_bound(float(text))
    except ValueError:
        return text
