"""Random samples and random PromQL over them, by a seed; nothing in it changed between Prometheus 2.42 and 3.

Samples never lie on the edge of a window (which 3 leaves out), equal values are not ranked (which of them stay depends
on Prometheus' heap), and what 3 computes otherwise is left out: deviations beside NaN, `predict_linear` with
`@`, `atan2` with names, dates of NaN, rates over gaps of counters, and two vectors of which a comparison filters one.
Other seeds than the test's may meet signs before series that differ by name and time, and the last bit of a power.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

STEP_S = 15
BEGIN_S = 1_699_999_200  # on the hour
STEPS = 480
INF, NAN = math.inf, math.nan
DURATIONS = ("30s", "1m", "2m", "5m", "1h", "90s")
MATCHERS = (
    *('job="api"', 'job!="api"', 'job=~"a.*|web"', 'job!~"d.*"', 'instance="0"', 'instance=~".+"'),
    *('zone=""', 'zone="a"', 'code="200"', 'code!=""', 'missing=""'),
)
OF_RANGES = (
    *("delta", "idelta", "irate", "deriv", "changes", "resets", "avg_over_time", "min_over_time", "max_over_time"),
    *("sum_over_time", "count_over_time", "last_over_time", "present_over_time", "absent_over_time"),
)
OF_VECTORS = (
    *("abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "atan", "asin", "acos", "tanh"),
    *("sinh", "deg", "rad", "timestamp", "sort", "sort_desc", "absent"),
)
ARITHMETIC = ("+", "-", "*", "/", "%", "^")
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
SETS = ("and", "or", "unless")
MATCHINGS = ("on (job)", "ignoring ()", "on (job) group_left ()", "ignoring (code) group_right ()")
BUCKETS = ("lat_bucket", "rate(lat_bucket[5m])", "sum by (le) (lat_bucket)")


@dataclass(frozen=True, slots=True)
class Series:
    """One series; samples are pairs of unix seconds and values."""

    labels: dict[str, str]
    samples: list[tuple[int, float]]


class Samples:
    """Makes counters that reset and gauges with gaps, zeros, NaN and infinities."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def series(self) -> list[Series]:
        found = []
        for name in ("req_total", "err_total", "temp", "size"):
            for job in ("api", "web", "db"):
                found += [self._one(name, job, instance) for instance in ("0", "1")]
        for le, each in (("0.1", 1), ("1", 3), ("5", 4), ("+Inf", 5)):
            for job in ("api", "web"):
                samples = [(BEGIN_S + n * STEP_S + 5, float(each * n)) for n in range(STEPS)]
                found.append(Series({"__name__": "lat_bucket", "job": job, "le": le}, samples))
        return found

    def _one(self, name: str, job: str, instance: str) -> Series:
        chance, is_counter = self._random, name.endswith("_total")
        labels = {"__name__": name, "job": job, "instance": instance}
        labels |= {"code": chance.choice(("200", "500"))} if is_counter else {}
        labels |= {"zone": "a"} if chance.random() < 0.2 else {}
        gap = range(0)
        if chance.random() < 0.4:
            begin = chance.randrange(STEPS // 2)
            gap = range(begin, begin + chance.choice((10, 40)))
        offset_s, value, samples = chance.randrange(2, 13), chance.random() * 100, []
        for number in range(STEPS):
            value = self._next(value, is_counter=is_counter)
            if number not in gap:
                samples.append((BEGIN_S + number * STEP_S + offset_s, value))
        return Series(labels, samples)

    def _next(self, value: float, *, is_counter: bool) -> float:
        chance, luck = self._random, self._random.random()
        if is_counter:
            return chance.random() * 3 if luck < 0.01 else value + chance.choice((0, 0, 1, 2.5, 7))
        if luck < 0.01:
            return chance.choice((NAN, INF, -INF))
        return 0.0 if luck < 0.05 else chance.gauss(20, 15)


class Queries:
    """Makes instant vectors, nested up to a depth; many are refused by both, as their labels do not match."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def vector(self, depth: int) -> str:
        makers = (
            *(self._ranged, self._called, self._bounded, self._labelled, self._folded, self._signed, self._joined),
            self._chained,
        )
        chance = self._random
        if depth <= 0 or chance.random() < 0.12:
            return self._selector() + self._moved()
        return chance.choices(makers, weights=(25, 7, 5, 5, 15, 6, 30, 15))[0](depth - 1)

    def _selector(self, *names: str) -> str:
        matchers = [self._random.choice(MATCHERS) for _ in range(self._random.choice((0, 0, 1, 1, 2)))]
        name = self._random.choice(names or ("req_total", "err_total", "temp", "size"))
        return name + ("{" + ",".join(matchers) + "}" if matchers else "")

    def _moved(self) -> str:
        at = f" @ {BEGIN_S + 3601 + STEP_S * self._random.randrange(60)}.0"
        moves = (" offset 1m", " offset 5m", " offset -1m", at, " @ start()", " @ end() offset 1m", f"{at} offset -90s")
        return self._random.choice(moves) if self._random.random() < 0.25 else ""

    def _matrix(self, depth: int) -> str:
        if depth > 0 and self._random.random() < 0.35:
            every = self._random.choice(("", "1m", "15s", "30s", "45s", "75s", "4m"))
            length = self._random.choice(("90s", "5m", "7m30s", "10m", "31m"))
            return f"({self.vector(depth - 1)})[{length}:{every}]" + self._moved()
        return f"{self._selector()}[{self._random.choice(DURATIONS)}]" + self._moved()

    def _scalar(self, depth: int = 0) -> str:
        luck = self._random.random()
        if depth <= 0 or luck < 0.6:
            return self._random.choice(("1", "0", "-1", "2.5", "0.5", "Inf", "NaN", "1e3", "0x1f", "-0.0", "100"))
        if luck < 0.8:
            return self._random.choice(("time()", f"scalar({self.vector(depth - 1)})"))
        operator = self._random.choice((*ARITHMETIC, *(f"{each} bool" for each in COMPARISONS)))
        return f"({self._scalar(depth - 1)} {operator} {self._scalar(depth - 1)})"

    def _labels(self) -> str:
        names = ("job", "instance", "code", "zone", "missing")
        return "(" + ", ".join(self._random.sample(names, self._random.choice((0, 1, 1, 2, 3)))) + ")"

    def _ranged(self, depth: int) -> str:
        if self._random.random() < 0.1:
            return f"quantile_over_time({self._scalar()}, {self._matrix(depth)})"
        return f"{self._random.choice(OF_RANGES)}({self._matrix(depth)})"

    def _called(self, depth: int) -> str:
        return f"{self._random.choice(OF_VECTORS)}({self.vector(depth)})"

    def _bounded(self, depth: int) -> str:
        inner, one, other = self.vector(depth), self._scalar(), self._scalar()
        forms = (f"clamp({inner}, {one}, {other})", f"clamp_min({inner}, {one})", f"clamp_max({inner}, {one})")
        return self._random.choice((*forms, f"round({inner}, {self._random.choice(('0.5', '2', '10'))})"))

    def _labelled(self, depth: int) -> str:
        inner, into = self.vector(depth), self._random.choice(("zone", "new", "job"))
        share, buckets = self._random.choice(("0.5", "0.9", "1.5", "-1", "0")), self._random.choice(BUCKETS)
        forms = (
            f'label_replace({inner}, "{into}", "x-$1", "{self._random.choice(("job", "instance"))}", "(.).*")',
            f'label_join({inner}, "j", "-", "job", "instance")',
            f"vector({self._scalar(depth)})",
            f"histogram_quantile({share}, {buckets})",
        )
        return self._random.choice(forms)

    def _folded(self, depth: int) -> str:
        chance = self._random
        grouping = chance.choice(("", f" by {self._labels()} ", f" without {self._labels()} "))
        luck, inner = chance.random(), self.vector(depth)
        if luck < 0.7:
            return f"{chance.choice(('sum', 'avg', 'min', 'max', 'count', 'group'))}{grouping}({inner})"
        if luck < 0.8:
            few = f"{chance.choice(('1', '2', '3', '0', '-1'))}, {self._selector('req_total', 'err_total')}"
            return f"{chance.choice(('topk', 'bottomk'))}{grouping}({few})"
        if luck < 0.9:
            return f"quantile{grouping}({chance.choice(('0.5', '0.9', '0', '1', '2', '-1'))}, {inner})"
        return f'count_values{grouping}("zz", {chance.choice(("ceil", "sgn"))}({self._selector()}))'

    def _signed(self, depth: int) -> str:
        return self._random.choice((f"-{self.vector(depth)}", f"({self.vector(depth)})"))

    def _chained(self, depth: int) -> str:
        """Make operators without parentheses, so that precedence decides; each side has one series a job."""
        chance, text = self._random, ""
        for number in range(chance.randrange(2, 5)):
            operator = chance.choice((*ARITHMETIC, "^", *SETS, *COMPARISONS, *(f"{each} bool" for each in COMPARISONS)))
            operator = "atan2" if chance.random() < 0.1 else operator
            matching = chance.choice(
                ("on (job)", "ignoring ()", "on (job) group_left ()", "ignoring (code) group_right ()")
            )
            text += f" {operator} {matching if chance.random() < 0.2 else ''} " if number else ""
            text += chance.choice(("", "", "-", "+", "--"))
            text += self._scalar() if chance.random() < 0.3 else f"sum by (job) ({self.vector(depth - 1)})"
        return f"({text} + sum by (job) ({self._selector()}))"

    def _joined(self, depth: int) -> str:
        chance, operator = self._random, self._random.choice((*ARITHMETIC, *COMPARISONS, *SETS))
        if operator in SETS:
            on = chance.choice(("", f" on {self._labels()}", f" ignoring {self._labels()}"))
            return f"({self.vector(depth)} {operator}{on} {self.vector(depth)})"
        sides, luck = [self.vector(depth), self.vector(depth)], chance.random()
        if operator in COMPARISONS and luck > 0.15:
            operator += " bool"
        if luck < 0.35:
            sides[luck < 0.2] = self._scalar(depth)
            return f"({sides[0]} {operator} {sides[1]})"
        matching = chance.choice(("", " on (job, instance)", " ignoring (code, zone)", f" on {self._labels()}"))
        if matching and chance.random() < 0.4:
            matching += chance.choice((" group_left", " group_right")) + chance.choice(("", " (zone)", " ()"))
        if chance.random() < 0.3:
            sides[1] = f"sum by (job, instance) ({sides[1]})"
        return f"({sides[0]} {operator}{matching} {sides[1]})"
