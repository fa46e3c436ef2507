"""Line filters as functions of a line: a needle, an expression, a pattern or an address, one of several, or none."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.telemetry.logs.logql.expressions import compile_expression
from holdfast.telemetry.logs.logql.nodes import LineFilter, LineOp, Needle
from holdfast.telemetry.logs.pipeline.addresses import has_address, parse_addresses
from holdfast.telemetry.logs.pipeline.patterns import parse_pattern

Test = Callable[[str], bool]


def compile_line_filter(stage: LineFilter) -> Test:
    """Give the question whether a line stays.

    Raises:
        ValueError: a needle is no expression, pattern or set of addresses.
    """
    tests = [_compile(stage.op, needle) for needle in stage.needles]
    single = tests[0]
    if len(tests) == 1:
        return (lambda line: not single(line)) if stage.op.is_negative else single
    if stage.op.is_negative:
        return lambda line: not any(test(line) for test in tests)
    return lambda line: any(test(line) for test in tests)


def _compile(op: LineOp, needle: Needle) -> Test:
    value = needle.value
    if needle.is_ip and op not in {LineOp.CONTAINS, LineOp.CONTAINS_NOT}:
        message = "ip: invalid operation"
        raise ValueError(message)
    if needle.is_ip:
        holds = parse_addresses(value)
        return lambda line: has_address(line, holds)
    if op in {LineOp.CONTAINS, LineOp.CONTAINS_NOT}:
        return lambda line: value in line
    if op in {LineOp.PATTERN, LineOp.PATTERN_NOT}:
        return parse_pattern(value, is_filter=True).matches
    expression, problem = compile_expression(value)
    if problem:
        raise ValueError(problem)
    return lambda line: expression.search(line) is not None
