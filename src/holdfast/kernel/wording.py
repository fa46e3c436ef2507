"""What is wrong with a value, in the words of people who write files: what is expected there, and how it is written.

Knows the names that pydantic has for faults; a fault that is not listed keeps pydantic's own words.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, Final

_LIST: Final = "a list"
_WHOLE: Final = "a whole number"
_EXPECTED: Final = {
    "string_type": "text",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
    "model_type": "a mapping",
    "mapping_type": "a mapping",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": f"{_WHOLE} of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "none_required": "nothing",
}
_RULES: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "enum": lambda said: str(said["expected"]),
    "literal_error": lambda said: str(said["expected"]),
    "greater_than": lambda said: f"more than {said['gt']}",
    "greater_than_equal": lambda said: f"{said['ge']} or more",
    "less_than": lambda said: f"less than {said['lt']}",
    "less_than_equal": lambda said: f"at most {said['le']}",
    "string_too_short": lambda said: f"text of {said['min_length']} letters or more",
    "string_too_long": lambda said: f"text of at most {said['max_length']} letters",
    "string_pattern_mismatch": lambda said: f"text that matches {said['pattern']}",
    "too_short": lambda said: f"{said['min_length']} entries or more",
    "too_long": lambda said: f"at most {said['max_length']} entries",
}


def word(kind: str, said: str, context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    """Give the message and the fix of a fault.

    Args:
        kind: pydantic's name of it.
        said: pydantic's own message.
        context: what the rule demands, as pydantic gives it.
        value: what was found.
    """
    rule = _RULES.get(kind)
    expected = rule(context) if rule else _EXPECTED.get(kind, "")
    message = f"expected {expected}" if expected else said[:1].lower() + said[1:]
    return f"{message}, found {shown(value)}", _fix(expected, context, value)


def shown(value: Any) -> str:
    """Give what was found, as its writer knows it."""
    names = {dict: "a mapping", list: _LIST, type(None): "nothing"}
    if type(value) in names:
        return names[type(value)]
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _fix(expected: str, context: Mapping[str, Any], value: Any) -> str:
    if expected == "text" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{shown(value)}"'
    if expected == _LIST and isinstance(value, dict):
        return "begin each entry with '- '"
    if expected == _LIST and isinstance(value, str | int | float):
        return f"write [{shown(value)}]"
    if "expected" in context and isinstance(value, str):
        names = expected.replace(" or ", ", ").split(", ")
        near = difflib.get_close_matches(repr(value), names, n=1, cutoff=0.6)
        return f"did you mean {near[0]}?" if near else ""
    return ""
