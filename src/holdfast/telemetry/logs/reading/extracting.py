"""An extraction as SQL: one text for each field, and whether a body is odd, so that it must be read as a line.

A text is `=` and the value, or empty where there is none. The rule is that the engine may be unsure but never wrong:
what it reads in another way than `pipeline.parsing` (escapes, keys that are cleaned into the same name, numbers that
it would write anew, pairs behind a fault) makes a body odd.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.extraction import Extraction, Form

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.telemetry.logs.reading.conditions import Condition

_MARGIN: Final = "[^!-~]*"  # what cleaning may cut off a key, and more
_ODD_LETTER: Final = "[^a-zA-Z0-9]"
_REPLACED: Final = "\ufffd"
_BLANK, _PLAIN = r"[\x00-\x20]", r'[^\x00-\x20="]'
_PAIR: Final = rf'(?:{_BLANK}*{_PLAIN}+(?:="(?:[^"\\]|\\.)*"|(?:={_PLAIN}*)?(?:{_BLANK}|$)))'

Parts = tuple[str, list[str]]  # whether a body is odd, and the text of each field


def extraction_sql(extraction: Extraction, condition: Condition) -> Parts:
    """Give the SQL of an extraction over `body`; values are bound in the condition."""
    return _FORMS[extraction.form](extraction, condition)


def _json(extraction: Extraction, condition: Condition) -> Parts:
    pairs = "JSONExtractKeysAndValuesRaw(body)"
    odd, texts = [f"empty({pairs})"], []
    for name in extraction.fields:
        whole = condition.bind(f"^{_MARGIN}{_cleaned(name)}{_MARGIN}$")
        is_named = f"match(x.1, {whole})"
        if outer := _outer_names(name):
            around = condition.bind(f"^{_MARGIN}(?:{'|'.join(map(_cleaned, outer))}){_MARGIN}$")
            is_named = f"({is_named} OR (startsWith(x.2, '{{') AND match(x.1, {around})))"
        found = f"arrayFilter(x -> {is_named}, {pairs})"
        key, quoted = condition.bind(name), condition.bind(f'"{name}"')
        number = condition.bind(rf'[{{,]\s*"{re.escape(name)}"\s*:\s*(-?[0-9][0-9.eE+-]*)')
        raw = f"{found}[1].2"
        is_number = f"match({raw}, '^-?[0-9]')"
        is_sure_number = (
            f"(countSubstrings(body, {quoted}) = 1 AND position(body, '\\\\u') = 0 AND extract(body, {number}) != '')"
        )
        is_sure = f"""multiIf(
            length({found}) = 0, 1,
            length({found}) > 1 OR {found}[1].1 != {key}, 0,
            {is_number}, {is_sure_number},
            position({raw}, '\\\\') = 0 AND position({raw}, '{_REPLACED}') = 0)"""
        odd.append(f"NOT ({is_sure})")
        texts.append(f"""multiIf(
            length({found}) = 0 OR {raw} = 'null' OR match({raw}, '^[\\\\[{{]'), '',
            {is_number}, concat('=', extract(body, {number})),
            startsWith({raw}, '"'), concat('=', substring({raw}, 2, length({raw}) - 2)),
            concat('=', {raw}))""")
    return " OR ".join(odd), texts


def _logfmt(extraction: Extraction, condition: Condition) -> Parts:
    """Look for a pair where quotes are plain to see (short searches), else read all pairs before it (a long match)."""
    quoted, proper = condition.bind('"[^"]*"'), condition.bind(f'(?:^|{_BLANK}){_PLAIN}+=""')
    outside = f"replaceRegexpAll(body, {quoted}, '\"\"')"
    is_regular = (
        f"(position(body, '\\\\') = 0 AND countSubstrings({outside}, '\"') = 2 * countMatches({outside}, {proper}))"
    )
    odd, texts = [], []
    for name in extraction.fields:
        key = "".join(r'[^a-zA-Z0-9\x00-\x20="]' if letter == "_" else letter for letter in name)
        short_odd, short = _logfmt_short(key, outside, condition)
        long_odd, long = _logfmt_long(key, condition)
        odd.append(f"if({is_regular}, {short_odd}, {long_odd})")
        texts.append(f"if({is_regular}, {short}, {long})")
    return " OR ".join(odd) or "0", texts


def _logfmt_short(key: str, outside: str, condition: Condition) -> tuple[str, str]:
    begin = f'(?:^|[\\x00-\\x20"]){key}='
    in_quotes, quoted = condition.bind(f'{begin}""'), condition.bind(f'{begin}"([^"]*)"')
    bare = f"extract({outside}, {condition.bind(f'{begin}({_PLAIN}+)(?:{_BLANK}|$)')})"
    is_bare = f"countMatches({outside}, {in_quotes}) = 0"
    text = f"if({is_bare}, {bare}, extract(body, {quoted}))"
    is_sure = (
        f"{is_bare} OR (countMatches({outside}, {in_quotes}) = 1 AND countMatches(body, {quoted}) = 1 AND {bare} = '')"
    )
    odd = f"NOT ({is_sure}) OR position({text}, '{_REPLACED}') > 0"
    return odd, f"if({text} = '', '', concat('=', {text}))"


def _logfmt_long(key: str, condition: Condition) -> tuple[str, str]:
    whole = condition.bind(f"(?s)^{_PAIR}*{_BLANK}*$")
    value = rf'="((?:[^"\\]|\\.)+)"|=({_PLAIN}+)(?:{_BLANK}|$)'
    groups = f"extractGroups(body, {condition.bind(f'(?s)^{_PAIR}*?{_BLANK}*{key}(?:{value})')})"
    text = f"concat({groups}[1], {groups}[2])"
    is_unclear = f"position({text}, '\\\\') > 0 OR position({text}, '{_REPLACED}') > 0"
    odd = f"if(empty({groups}), NOT match(body, {whole}), {is_unclear})"
    return odd, f"if(empty({groups}), '', concat('=', {text}))"


def _groups(extraction: Extraction, condition: Condition) -> Parts:
    groups = f"extractGroups(body, {condition.bind(f'(?-s:{extraction.expression})')})"
    return "0", [f"if(empty({groups}), '', concat('=', {groups}[{place}]))" for place in extraction.places]


def _pieces(extraction: Extraction, condition: Condition) -> Parts:
    first = condition.bind(extraction.literals[0])
    begin, pieces, missing = f"length({first}) + 1", [], []
    for literal in extraction.literals[1:]:
        if literal:
            bound = condition.bind(literal)
            end = f"position(body, {bound}, toUInt64({begin}))"
            missing.append(f"{end} = 0")
            pieces.append(f"substring(body, {begin}, {end} - ({begin}))")
            begin = f"({end} + length({bound}))"
        else:
            pieces.append(f"substring(body, {begin})")
    is_anchored = f"(body != '' AND startsWith(body, {first}))"
    odd = f"{is_anchored} AND ({' OR '.join(missing) or '0'})"
    return odd, [f"if({is_anchored}, concat('=', {pieces[place]}), '')" for place in extraction.places]


_FORMS: Final[dict[Form, Callable[[Extraction, Condition], Parts]]] = {
    Form.JSON: _json,
    Form.LOGFMT: _logfmt,
    Form.GROUPS: _groups,
    Form.PIECES: _pieces,
}


def _cleaned(name: str) -> str:
    """Give an expression for all keys that are cleaned into a name."""
    return "".join(_ODD_LETTER if letter == "_" else letter for letter in name)


def _outer_names(name: str) -> list[str]:
    """Give the names of objects inside which a field would get this name."""
    return [name[:place] for place, letter in enumerate(name) if letter == "_" and place]
