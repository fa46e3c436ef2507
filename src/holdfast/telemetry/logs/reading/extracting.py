"""An extraction as SQL: one text for each column, and whether a body is odd, so that it must be read as a line.

A text is `=` and the value, or empty where there is none. The rule is that the engine may be unsure but never wrong:
what it reads in another way than `pipeline.parsing` (escapes, numbers that it would write anew, pairs behind a fault)
makes a body odd. JSON: `json_extracting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.extraction import Extraction, Form, Reading
from holdfast.telemetry.logs.reading.json_extracting import REPLACED, Parts, any_of, json_parts, paths_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.telemetry.logs.reading.conditions import Condition
    from holdfast.telemetry.logs.reading.layers import Layers

_BLANK, _PLAIN = r"[\x00-\x20]", r'[^\x00-\x20="]'
_PAIR: Final = rf'(?:{_BLANK}*{_PLAIN}+(?:="(?:[^"\\]|\\.)*"|(?:={_PLAIN}*)?(?:{_BLANK}|$)))'


def extraction_sql(extraction: Extraction, condition: Condition, layers: Layers) -> Parts:
    """Give the SQL of an extraction over `body` and the columns of layers; values are bound in the condition."""
    odd, texts = [], list[str]()
    for reading in extraction.readings:
        is_odd, columns = _FORMS[reading.form](reading, condition, layers)
        odd.append(is_odd)
        texts += columns
    return any_of(odd) if odd else "0", texts


def _logfmt(reading: Reading, condition: Condition, layers: Layers) -> Parts:
    """Look for a pair where quotes are plain to see (short searches), else read all pairs before it (a long match)."""
    quoted, proper = condition.bind('"[^"]*"'), condition.bind(f'(?:^|{_BLANK}){_PLAIN}+=""')
    outside = layers.define(f"replaceRegexpAll(body, {quoted}, '\"\"')", 0)
    is_regular = layers.define(
        f"countSubstrings({outside}, '\"') = 2 * countMatches({outside}, {proper}) AND position(body, '\\\\') = 0", 1
    )
    is_paired = "position(body, '=') > 0"  # else no key has a value
    odd, texts = [], []
    for name in reading.fields:
        key = "".join(r'[^a-zA-Z0-9\x00-\x20="]' if letter == "_" else letter for letter in name)
        short_odd, short = _logfmt_short(key, outside, condition)
        long_odd, long = _logfmt_long(key, condition)
        odd.append(f"{is_paired} AND if({is_regular}, {short_odd}, {long_odd})")
        texts.append(f"if({is_paired}, if({is_regular}, {short}, {long}), '')")
    return any_of(odd) if odd else "0", texts


def _logfmt_short(key: str, outside: str, condition: Condition) -> tuple[str, str]:
    begin = f'(?:^|[\\x00-\\x20"]){key}='
    in_quotes, quoted = condition.bind(f'{begin}""'), condition.bind(f'{begin}"([^"]*)"')
    bare = f"extract({outside}, {condition.bind(f'{begin}({_PLAIN}+)(?:{_BLANK}|$)')})"
    is_bare = f"countMatches({outside}, {in_quotes}) = 0"
    text = f"if({is_bare}, {bare}, extract(body, {quoted}))"
    is_sure = (
        f"{is_bare} OR (countMatches({outside}, {in_quotes}) = 1 AND countMatches(body, {quoted}) = 1 AND {bare} = '')"
    )
    odd = f"NOT ({is_sure}) OR position({text}, '{REPLACED}') > 0"
    return odd, f"if({text} = '', '', concat('=', {text}))"


def _logfmt_long(key: str, condition: Condition) -> tuple[str, str]:
    whole = condition.bind(f"(?s)^{_PAIR}*{_BLANK}*$")
    value = rf'="((?:[^"\\]|\\.)+)"|=({_PLAIN}+)(?:{_BLANK}|$)'
    groups = f"extractGroups(body, {condition.bind(f'(?s)^{_PAIR}*?{_BLANK}*{key}(?:{value})')})"
    text = f"concat({groups}[1], {groups}[2])"
    is_unclear = f"position({text}, '\\\\') > 0 OR position({text}, '{REPLACED}') > 0"
    odd = f"if(empty({groups}), NOT match(body, {whole}), {is_unclear})"
    return odd, f"if(empty({groups}), '', concat('=', {text}))"


def _groups(reading: Reading, condition: Condition, layers: Layers) -> Parts:
    groups = layers.define(f"extractGroups(body, {condition.bind(f'(?-s:{reading.expression})')})", 0)
    return "0", [f"if(empty({groups}), '', concat('=', {groups}[{place}]))" for place in reading.places]


def _pieces(reading: Reading, condition: Condition, layers: Layers) -> Parts:
    first = condition.bind(reading.literals[0])
    begin, pieces, missing = f"length({first}) + 1", [], []
    for place, literal in enumerate(reading.literals[1:]):
        if literal:
            bound = condition.bind(literal)
            end = layers.define(f"position(body, {bound}, toUInt64({begin}))", place)
            missing.append(f"{end} = 0")
            pieces.append(f"substring(body, {begin}, {end} - ({begin}))")
            begin = f"({end} + length({bound}))"
        else:
            pieces.append(f"substring(body, {begin})")
    is_anchored = f"(body != '' AND startsWith(body, {first}))"
    odd = f"{is_anchored} AND ({' OR '.join(missing) or '0'})"
    return odd, [f"if({is_anchored}, concat('=', {pieces[place]}), '')" for place in reading.places]


_FORMS: Final[dict[Form, Callable[[Reading, Condition, Layers], Parts]]] = {
    Form.JSON: json_parts,
    Form.PATHS: paths_parts,
    Form.LOGFMT: _logfmt,
    Form.GROUPS: _groups,
    Form.PIECES: _pieces,
}
