"""Expectations compiled once into functions that look at an answer and note what is wrong, expected against found."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.health.probes.attempts import now_s, one_line, quote
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http.messages import describe_status
from holdfast.health.probes.http.spec import UNSET, statuses_of
from holdfast.health.probes.limits import judge_days_left, judge_duration
from holdfast.health.probes.network import expiry_of
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import InvalidError, Place

if TYPE_CHECKING:
    from holdfast.health.probes.attempts import Attempt
    from holdfast.health.probes.http.messages import Response
    from holdfast.health.probes.http.spec import Expect, HeaderExpectation, JsonExpectation
    from holdfast.health.probes.limits import DaysLeft, DurationLimits

Check = Callable[["Attempt", "Response"], None]

_CLOCK: Final = SystemClock()
_MAX_SHOWN_VALUES: Final = 3


def compile_expectations(expect: Expect) -> tuple[Check, ...]:
    """Give one function per expectation, in the order in which a responder wants to read their messages.

    Raises:
        InvalidError: a JSON path or a JSON Schema is malformed.
    """
    checks: list[Check] = [_status_check(expect.status)]
    checks += [_header_check(wanted) for wanted in expect.headers]
    body = expect.body
    checks += [_contains_check(text) for text in body.contains]
    checks += [_excludes_check(text) for text in body.excludes]
    checks += [_matches_check(pattern) for pattern in body.matches]
    checks += [_json_check(wanted, position) for position, wanted in enumerate(expect.json)]
    if expect.json_schema is not None:
        checks.append(_schema_check(expect.json_schema))
    if expect.certificate is not None:
        checks.append(_certificate_check(expect.certificate))
    if expect.latency.warn is not None or expect.latency.crit is not None:
        checks.append(_latency_check(expect.latency))
    return tuple(checks)


def reads_body(expect: Expect) -> bool:
    """Tell whether an expectation looks at the body."""
    body = expect.body
    return bool(body.contains or body.excludes or body.matches or expect.json or expect.json_schema is not None)


def run_checks(attempt: Attempt, response: Response, checks: tuple[Check, ...]) -> None:
    """Run every check; one that cannot read the body notes that and leaves the rest to be read."""
    unreadable = ""
    for check in checks:
        try:
            check(attempt, response)
        except FaultError as fault:
            if fault.message != unreadable:
                attempt.note(fault.verdict, fault.message)
            unreadable = fault.message


def _status_check(texts: tuple[str, ...]) -> Check:
    allowed = statuses_of(texts)
    wanted = " or ".join(describe_status(int(text)) if text.isdigit() else text for text in texts)

    def check(attempt: Attempt, response: Response) -> None:
        if response.status not in allowed:
            attempt.down(f"expected status {wanted}, found {response.status_text}")

    return check


def _latency_check(limits: DurationLimits) -> Check:
    def check(attempt: Attempt, _: Response) -> None:
        judge_duration(attempt, "a response time", now_s() - attempt.started_s, limits)

    return check


def _header_check(wanted: HeaderExpectation) -> Check:
    name = wanted.name.lower().encode("latin-1", "replace")

    def check(attempt: Attempt, response: Response) -> None:
        value = response.header(name)
        found = None if value is None else value.decode("latin-1")
        if wanted.absent:
            if found is not None:
                attempt.down(f"expected no header {wanted.name}, found {quote(found)}")
        elif found is None:
            attempt.down(f"expected a header {wanted.name}, found none")
        elif wanted.equals is not None and found != wanted.equals:
            attempt.down(f"expected header {wanted.name} to be {quote(wanted.equals)}, found {quote(found)}")
        elif wanted.matches is not None and not wanted.matches.search(found):
            attempt.down(f"expected header {wanted.name} to match /{wanted.matches.pattern}/, found {quote(found)}")

    return check


def _contains_check(text: str) -> Check:
    def check(attempt: Attempt, response: Response) -> None:
        if text not in response.text:
            attempt.down(f"expected the body to contain {quote(text)}, found {response.excerpt()}")

    return check


def _excludes_check(text: str) -> Check:
    def check(attempt: Attempt, response: Response) -> None:
        at = response.text.find(text)
        if at >= 0:
            around = response.text[max(0, at - 30) : at + len(text) + 30]
            attempt.down(f"expected the body not to contain {quote(text)}, found {quote(around, 160)}")

    return check


def _matches_check(pattern: re.Pattern[str]) -> Check:
    def check(attempt: Attempt, response: Response) -> None:
        if not pattern.search(response.text):
            attempt.down(f"expected the body to match /{pattern.pattern}/, found {response.excerpt()}")

    return check


def _json_check(wanted: JsonExpectation, position: int) -> Check:
    import jsonpath  # noqa: PLC0415 - loaded by the first check that has a JSON path

    try:
        path = jsonpath.compile(wanted.path, strict=True)
    except jsonpath.JSONPathError as error:
        raise InvalidError(
            f"{wanted.path!r} is not a JSON path: {one_line(str(error).splitlines()[0])}",
            hint="RFC 9535: begin with $, such as $.status or $.checks[*].status",
            place=Place(field=f"expect.json[{position}].path"),
        ) from None

    def check(attempt: Attempt, response: Response) -> None:
        found = path.findall(response.json)
        if not wanted.exists:
            if found:
                attempt.down(f"expected nothing at {wanted.path}, found {_shown(found)}")
        elif not found:
            attempt.down(f"expected a value at {wanted.path}, found none")
        else:
            for value in found:
                complaint = _complaint(wanted, value)
                if complaint:
                    attempt.down(f"expected {wanted.path} to be {complaint}, found {_shown(found)}")
                    return

    return check


def _complaint(wanted: JsonExpectation, value: Any) -> str:
    """Give what `value` should have been, or nothing if it is right."""
    if wanted.equals != UNSET and not _same(wanted.equals, value):
        return _shown([wanted.equals])
    if wanted.matches is not None and not wanted.matches.search(value if isinstance(value, str) else _json(value)):
        return f"text that matches /{wanted.matches.pattern}/"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted.min is not None and not (is_number and value >= wanted.min):
        return f"at least {wanted.min:g}"
    if wanted.max is not None and not (is_number and value <= wanted.max):
        return f"at most {wanted.max:g}"
    return ""


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: `true` is not 1, while 1 is 1.0."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _shown(values: list[Any]) -> str:
    texts = [one_line(_json(value), 60) for value in values[:_MAX_SHOWN_VALUES]]
    more = len(values) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


def _schema_check(schema: Any) -> Check:
    import jsonschema  # noqa: PLC0415 - loaded by the first check that has a schema
    import referencing  # noqa: PLC0415

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InvalidError(
            f"not a JSON Schema: {one_line(error.message)} at {error.json_path}",
            place=Place(field="expect.json_schema"),
        ) from None
    # An empty registry: a schema may not make us fetch other documents.
    validator = kind(schema, registry=referencing.Registry())

    def check(attempt: Attempt, response: Response) -> None:
        try:
            fault = next(iter(validator.iter_errors(response.json)), None)
        except referencing.exceptions.Unresolvable as error:
            raise FaultError(f"the JSON Schema refers to what it does not hold: {error}", Verdict.UNKNOWN) from None
        if fault is not None:
            attempt.down(
                f"expected JSON that obeys the schema, found at {fault.json_path}: {one_line(fault.message, 160)}"
            )

    return check


def _certificate_check(limits: DaysLeft) -> Check:
    def check(attempt: Attempt, response: Response) -> None:
        until = expiry_of(response.peer) if response.peer is not None else None
        if until is None:
            attempt.down("expected a certificate, but the connection has none")
            return
        days = (until - _CLOCK.now()).total_seconds() / 86_400
        judge_days_left(attempt, "the certificate", days, limits)

    return check
