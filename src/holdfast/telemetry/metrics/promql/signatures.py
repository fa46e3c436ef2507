"""The functions and aggregations of PromQL: what they take, what they give, and one line about each for editors.

The evaluator has its own table of implementations; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from holdfast.telemetry.metrics.promql.nodes import ValueType
from holdfast.telemetry.metrics.promql.signature_docs import AGGREGATION_DOCS, FUNCTION_DOCS


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives.

    Attributes:
        name: as written in queries.
        args: the types of its arguments.
        variadic: 0 if all of `args` must be given; otherwise the last may be left out, and be given at most that many
            times; -1: any number of times.
        returns: the type of its result.
        is_experimental: Prometheus wants a feature flag for it.
        doc: one line for people.
    """

    name: str
    args: tuple[ValueType, ...]
    variadic: int
    returns: ValueType
    is_experimental: bool
    doc: str


@dataclass(frozen=True, slots=True)
class AggregationSignature:
    """What an aggregation takes besides its vector: `param` is the type of its parameter, if it has one."""

    name: str
    param: ValueType | None
    is_experimental: bool
    doc: str


_TYPES: Final = {"v": ValueType.VECTOR, "m": ValueType.MATRIX, "s": ValueType.SCALAR, "t": ValueType.STRING}

# One letter per argument (v: instant vector, m: range vector, s: scalar, t: string), then how often the last may be
# given (empty: once, `*`: any number), an arrow and the result; an exclamation mark: experimental.
_FORMS: Final = {
    "v>v": (
        "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count "
        "histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh "
        "timestamp"
    ),
    "m>v": (
        "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time "
        "max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time"
    ),
    "m>v!": (
        "first_over_time mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time "
        "ts_of_min_over_time"
    ),
    "v1>v": "day_of_month day_of_week day_of_year days_in_month hour minute month year",
    "vss>v": "clamp",
    "vs>v": "clamp_max clamp_min",
    "mss>v!": "double_exponential_smoothing",
    "ssv>v": "histogram_fraction",
    "sv>v": "histogram_quantile",
    "vtss9>v!": "histogram_quantiles",
    "vv1>v!": "info",
    "vttt*>v": "label_join",
    "vtttt>v": "label_replace",
    "ss>s!": "max_of min_of",
    "ms>v": "predict_linear",
    "sm>v": "quantile_over_time",
    "vs1>v": "round",
    "v>s": "scalar",
    "vt*>v!": "sort_by_label sort_by_label_desc",
    "v>v!": "start_timestamp",
    ">s": "pi time",
    ">s!": "end range start step",
    "s>v": "vector",
}


def _signature(name: str, form: str) -> Signature:
    taken, _, given = form.partition(">")
    letters = taken.rstrip("0123456789*")
    times = taken[len(letters) :]
    return Signature(
        name,
        tuple(_TYPES[letter] for letter in letters),
        -1 if times == "*" else int(times or 0),
        _TYPES[given[0]],
        is_experimental=given.endswith("!"),
        doc=FUNCTION_DOCS[name],
    )


FUNCTIONS: Final[dict[str, Signature]] = {
    name: _signature(name, form)
    for name, form in sorted((name, form) for form, names in _FORMS.items() for name in names.split())
}

_PARAMS: Final = {
    "topk": ValueType.SCALAR,
    "bottomk": ValueType.SCALAR,
    "quantile": ValueType.SCALAR,
    "limitk": ValueType.SCALAR,
    "limit_ratio": ValueType.SCALAR,
    "count_values": ValueType.STRING,
}

AGGREGATIONS: Final[dict[str, AggregationSignature]] = {
    name: AggregationSignature(name, _PARAMS.get(name), name in {"limitk", "limit_ratio"}, doc)
    for name, doc in sorted(AGGREGATION_DOCS.items())
}
