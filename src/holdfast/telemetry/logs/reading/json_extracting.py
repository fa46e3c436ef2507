"""Fields of JSON as SQL, for `extracting`: labels of nested objects, and values at paths.

The engine writes values anew, which changes numbers: these are looked for in the body, by an expression that follows
the keys down to them. A key that stands there twice, or is not cleaned letter by letter, makes a body odd.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.logs.extraction import Reading
    from holdfast.telemetry.logs.reading.conditions import Condition
    from holdfast.telemetry.logs.reading.layers import Layers

Parts = tuple[str, list[str]]  # whether a body is odd, and the text of each column
REPLACED: Final = "\ufffd"  # parsers make a space of it
_MARGIN: Final = "[^!-~]*"  # what cleaning may cut off a key, and more
_ODD_LETTER: Final = "[^a-zA-Z0-9]"
_JOINT: Final = f"(?:{_MARGIN}_{_MARGIN}|{_ODD_LETTER})"  # between a key and one in its object, or within a key
_NAMELESS: Final = f"^{_MARGIN}$"
_OBJECT: Final = r"^[ \t\n\r]*\{"
_DEEPEST: Final = 3  # objects in objects
_FOUND: Final = _DEEPEST + 1  # the layer of what was found in them
_PAIRS: Final = "JSONExtractKeysAndValuesRaw(body)"
_BEGIN: Final = r'[{,]\s*"'
_NUMBER: Final = r'"\s*:\s*(-?[0-9][0-9.eE+-]*)'
_OPENED: Final = r'"\s*:\s*\{'
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_FLAT: Final = rf'\{{[^{{}}"]*(?:{_STRING}[^{{}}"]*)*\}}'
_DEEP: Final = rf'\{{[^{{}}"]*(?:(?:{_STRING}|{_FLAT})[^{{}}"]*)*\}}'
_BETWEEN: Final = rf'[^{{}}"]*(?:(?:{_STRING}|{_DEEP})[^{{}}"]*)*?"'  # up to a key of the object that is open
_FROM_START: Final = rf"^[ \t\n\r]*\{{{_BETWEEN}"
_PLAIN_NAME: Final = re.compile("[a-zA-Z0-9]+(?:_[a-zA-Z0-9]+)+")  # each letter of a key stands for one of it


def json_parts(reading: Reading, condition: Condition, layers: Layers) -> Parts:
    """Give the SQL of `| json`; its last column is set where a body is no object."""
    pairs = layers.define(_PAIRS, 0)
    is_object = layers.define(f"startsWith(body, '{{') OR match(body, {condition.bind(_OBJECT)})", 0)
    objects = f"arrayFilter(x -> startsWith(x.2, '{{'), {pairs})"
    is_nameless = f"arrayExists(x -> match(x.1, {condition.bind(_NAMELESS)}), {objects})"
    odd, texts = [f"empty({pairs}) AND {is_object}", is_nameless], []
    for name in reading.fields:
        is_odd, text = _label(name, condition, layers)
        odd += is_odd
        texts.append(text)
    return any_of(odd), [*texts, f"if({is_object}, '', '=')"]


def any_of(terms: Sequence[str]) -> str:
    """Give the test whether any term holds; with `OR` the engine would work out what terms share for each of them."""
    return f"({' + '.join(f'({term})' for term in terms)}) > 0"


def _label(name: str, condition: Condition, layers: Layers) -> tuple[list[str], str]:
    found, is_deeper = _found(name, condition, layers)
    key, raw = layers.define(f"{found}[1].1", _FOUND + 1), layers.define(f"{found}[1].2", _FOUND + 1)
    is_same = f"{key} = {condition.bind(name)}"
    is_named = is_same
    if _PLAIN_NAME.fullmatch(name):
        letters = name.replace("_", _ODD_LETTER)
        is_named = f"match({key}, {condition.bind(f'^{letters}$')})"
    is_once = f"({is_same} OR position(body, '\\\\') = 0) AND {_is_once(name, condition)}"
    number = layers.define(_number(raw, f"(?:{_ways(name)})", is_once, condition), _FOUND + 2)
    is_odd = f"""NOT multiIf(
        length({found}) = 0, 1,
        length({found}) > 1 OR NOT ({is_named}), 0,
        {_is_text_sure(raw)})"""
    text = f"""multiIf(
        length({found}) = 0 OR {raw} = 'null' OR {_is_nested(raw)}, '',
        {_is_number(raw)}, concat('=', {number}),
        concat('=', {_text(raw)}))"""
    return [*is_deeper, is_odd, f"({number} = '') * {_is_number(raw)}"], text


def _found(name: str, condition: Condition, layers: Layers) -> tuple[str, list[str]]:
    """Give what stands for all fields that may be cleaned into a name, and what finds deeper ones."""
    outer = [name[:place] for place, letter in enumerate(name) if letter == "_" and place]
    whole = condition.bind(f"^{_MARGIN}{_joined(name)}{_MARGIN}$")
    levels, is_deeper = [layers.define(_PAIRS, 0)], list[str]()
    if outer:
        around = condition.bind(f"^{_MARGIN}(?:{'|'.join(map(_joined, outer))}){_MARGIN}$")
        is_opened = f"startsWith(x.2, '{{') AND match(x.1, {around})"
        inner = "arrayMap(y -> (concat(x.1, '_', y.1), y.2), JSONExtractKeysAndValuesRaw(x.2))"
        for depth in range(min(len(outer), _DEEPEST)):
            opened = f"arrayFilter(x -> {is_opened}, {levels[-1]})"
            levels.append(layers.define(f"arrayFlatten(arrayMap(x -> {inner}, {opened}))", depth + 1))
        is_deeper = [f"arrayExists(x -> {is_opened}, {levels[-1]})"] if len(outer) > _DEEPEST else []
    fields = f"arrayConcat({', '.join(levels)})" if outer else levels[0]
    return layers.define(f"arrayFilter(x -> match(x.1, {whole}), {fields})", _FOUND), is_deeper


def _joined(name: str) -> str:
    """Give an expression for all keys, and keys in objects joined by `_`, that are cleaned into a name."""
    return name.replace("_", _JOINT)


def _key(name: str) -> str:
    return name.replace("_", r'[^a-zA-Z0-9"\\]') if _PLAIN_NAME.fullmatch(name) else name


def _ways(name: str, depth: int = 0) -> str:
    """Give an expression for all ways of keys down to a name, without the quotes at both ends."""
    ways = [_key(name)]
    for place, letter in enumerate(name):
        if letter == "_" and place and depth < _DEEPEST:
            ways.append(f"{_key(name[:place])}{_OPENED}{_BETWEEN}(?:{_ways(name[place + 1 :], depth + 1)})")
    return "|".join(ways)


def _is_once(name: str, condition: Condition) -> str:
    """Give the test whether only one way begins in the body."""
    if "_" not in name:
        quoted = condition.bind(f'"{name}"')
        return f"countSubstrings(body, {quoted}) = 1"
    outer = [_key(name[:place]) for place, letter in enumerate(name) if letter == "_" and place]
    begins = condition.bind(f'"{_key(name)}"|"(?:{"|".join(outer)}){_OPENED}')
    return f"countMatches(body, {begins}) = 1"


def paths_parts(reading: Reading, condition: Condition, layers: Layers) -> Parts:
    """Give the SQL of `| json label="a.b[0]"`; its last column is set where a body cannot be JSON."""
    is_fault = layers.define("body != '' AND substring(body, 1, 1) NOT IN ('{', '[', '\"')", 0)
    odd, texts = ["NOT startsWith(body, '{')", f"empty({layers.define(_PAIRS, 0)})"], []
    for path in reading.paths:
        is_odd, text = _at_path(path, condition, layers)
        odd += is_odd
        texts.append(f"if({is_fault}, '', {text})")
    return f"(NOT {is_fault}) * ({any_of(odd)})", [*texts, f"if({is_fault}, '=', '')"]


def _at_path(path: tuple[str | int, ...], condition: Condition, layers: Layers) -> tuple[list[str], str]:
    levels = ["[body]"]
    for depth, part in enumerate(path):
        if isinstance(part, int):
            inner = f"if(startsWith(r, '['), arraySlice(JSONExtractArrayRaw(r), {part + 1}, 1), emptyArrayString())"
        else:
            inner = _named(condition.bind(part), "JSONExtractKeysAndValuesRaw(r)")
        inside = f"arrayFlatten(arrayMap(r -> {inner}, {levels[-1]}))"
        if not depth and isinstance(part, str):
            inside = _named(condition.bind(part), layers.define(_PAIRS, 0))
        levels.append(layers.define(inside, depth + 1))
    last, behind = levels[-1], len(path) + 1
    raw = layers.define(f"{last}[1]", behind)
    number = layers.define(_number_at(raw, path, condition), behind + 1)
    is_odd = [f"length({level}) > 1" for level in levels[1:]]
    is_odd += [_is_nested(raw), f"({number} = '') * {_is_number(raw)}", f"NOT {_is_text_sure(raw)}"]
    text = f"""multiIf(
        empty({last}), '',
        {raw} = 'null', '=',
        {_is_number(raw)}, concat('=', {number}),
        concat('=', {_text(raw)}))"""
    return is_odd, text


def _named(key: str, pairs: str) -> str:
    return f"arrayMap(x -> x.2, arrayFilter(x -> x.1 = {key}, {pairs}))"


def _number_at(raw: str, path: tuple[str | int, ...], condition: Condition) -> str:
    """Give a number as it is written, or an empty text, as always within arrays."""
    keys = [re.escape(part) for part in path if isinstance(part, str)]
    if len(keys) < len(path):
        return "''"
    begins = condition.bind(f'"{keys[0]}' + ('"' if len(keys) == 1 else _OPENED))
    return _number(raw, (_OPENED + _BETWEEN).join(keys), f"countMatches(body, {begins}) = 1", condition)


def _number(raw: str, way: str, is_once: str, condition: Condition) -> str:
    """Give the number at the end of a way of keys; the way is followed from the start where it may begin twice."""
    anywhere = condition.bind(f"{_BEGIN}{way}{_NUMBER}")
    from_start = condition.bind(f"{_FROM_START}{way}{_NUMBER}")
    is_plain = f"position(body, '\\\\u') = 0 AND {is_once}"
    return f"""multiIf(
        NOT {_is_number(raw)}, '', {is_plain}, extract(body, {anywhere}), extract(body, {from_start}))"""


def _is_number(raw: str) -> str:
    return f"match({raw}, '^-?[0-9]')"


def _is_nested(raw: str) -> str:
    return f"(startsWith({raw}, '{{') OR startsWith({raw}, '['))"


def _is_text_sure(raw: str) -> str:
    """Give the test whether a value is a text that both read alike: halves of characters are not."""
    is_whole = f"(position({raw}, '{REPLACED}') = 0 AND NOT match({raw}, '\\\\\\\\u[dD]'))"
    return f"(NOT startsWith({raw}, '\"') OR {is_whole})"


def _text(raw: str) -> str:
    plain = f"substring({raw}, 2, length({raw}) - 2)"
    unescaped = f"if(position({raw}, '\\\\') = 0, {plain}, JSONExtractString({raw}))"
    return f"if(startsWith({raw}, '\"'), {unescaped}, {raw})"
