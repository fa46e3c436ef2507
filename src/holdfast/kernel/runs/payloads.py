"""JSON in and out: inputs, results and signals become text with a size cap, and typed values again.

A value is the same before and after a crash, because the first caller too gets what was read back from the text.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from holdfast.kernel.decoding import adapter
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.runs.model import Failure
from holdfast.kernel.units import format_size

_ATOMS: Final = frozenset({type(None), bool, str})
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def encode(value: Any, *, what: str, limit_bytes: int) -> str:
    """Give `value` as JSON text.

    Raises:
        InvalidError: it cannot be written as JSON, or the text is larger than `limit_bytes`; `what` names it.
    """
    try:
        text = orjson.dumps(value, _to_plain, _OPTIONS)
    except (TypeError, PydanticSerializationError) as error:
        reason = error.__cause__ or error
        raise InvalidError(
            f"{what} is not JSON: {reason}", hint="return plain data, a dataclass or a pydantic model"
        ) from error
    if len(text) > limit_bytes:
        raise InvalidError(
            f"{what} has {format_size(len(text))}, more than {format_size(limit_bytes)} (runs.payload_limit)",
            hint="store it elsewhere and pass its address",
        )
    return text.decode()


def decode(text: str | None, kind: Any = Any, *, what: str = "a payload") -> Any:
    """Give the value in `text`, checked against the type `kind`.

    Raises:
        InvalidError: the value does not have that type; the message names each field.
    """
    value = orjson.loads(text) if text else None
    return value if kind is Any else check(value, kind, what=what)


def check(value: Any, kind: Any, *, what: str) -> Any:
    """Give `value`, plain JSON data, as an instance of `kind`."""
    try:
        return adapter(kind).validate_python(value)
    except ValidationError as error:
        raise InvalidError(_describe(error, what)) from None


def settle(value: Any, text: str, kind: Any) -> Any:
    """Give what a later reader of `text` will see; `value` itself where no reader could tell the difference."""
    if type(value) in _ATOMS and kind is Any:
        return value
    return decode(text, kind, what="the result")


def result_type(fn: Callable[..., Any]) -> Any:
    """Give the type that `fn` says it returns, Any where it says nothing that can be read back from JSON."""
    try:
        return _result_type(fn)
    except TypeError:  # a callable that cannot be hashed
        return Any


@functools.lru_cache(maxsize=4096)
def _result_type(fn: Callable[..., Any]) -> Any:
    inner = fn.func if isinstance(fn, functools.partial) else fn
    target = inner if inspect.isroutine(inner) else getattr(type(inner), "__call__", inner)  # noqa: B004 - not a test
    try:
        kind = typing.get_type_hints(target).get("return", Any)
    except (NameError, TypeError, AttributeError):
        return Any
    return as_type(kind)


def as_type(kind: Any) -> Any:
    """Give `kind`, or Any when no validator can be made of it."""
    if kind in {Any, object, None, type(None), inspect.Parameter.empty} or isinstance(kind, typing.TypeVar):
        return Any
    try:
        TypeAdapter(kind)
    except PydanticUserError:
        return Any
    return kind


def to_failure(error: BaseException, trace: str, *, is_in_doubt: bool = False) -> Failure:
    """Describe an exception for the journal, without NUL characters and in bounds."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return Failure(name, _clean(str(error), 4000), _clean(trace, 16_000), is_in_doubt)


def write_failure(failure: Failure) -> str:
    """Give a failure as JSON text."""
    return orjson.dumps(failure).decode()


def read_failure(text: str | None) -> Failure | None:
    """Give the failure in `text`."""
    return Failure(**orjson.loads(text)) if text else None


def _clean(text: str, limit: int) -> str:
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    return text if len(text) <= limit else f"{text[: limit // 2]}\n...\n{text[-limit // 2 :]}"


def _to_plain(value: Any) -> Any:
    return to_jsonable_python(value)


def _describe(error: ValidationError, what: str) -> str:
    faults = [
        f"{'.'.join(str(step) for step in fault['loc']) or 'value'}: {fault['msg']}"
        for fault in error.errors(include_url=False)
    ]
    return f"{what} does not fit: {'; '.join(faults[:10])}"


def datetime_of(text: str | None) -> datetime | None:
    """Give the moment in ISO 8601 text."""
    return None if text is None else datetime.fromisoformat(text)
