"""Finds how grave a record is, as Loki does: from the stream's labels, structured metadata, severity, then the line.

In the line, a field of JSON or logfmt comes before bare words. Where Loki looks for `info` anywhere before it looks for
an error, the word that stands first decides here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.logs.level_words import WORDS, Level, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.metrics.labels import Labels

LEVEL_NAMES: Final = (
    *("level", "LEVEL", "Level", "log.level", "log_level", "severity", "SEVERITY", "Severity", "SeverityText"),
    *("lvl", "LVL", "Lvl", "severity_text", "Severity_Text", "SEVERITY_TEXT", "detected_level"),
)
_NAMES: Final = frozenset(LEVEL_NAMES)
_BY_NUMBER: Final = np.array(
    [Level.UNKNOWN, *(level for level in list(Level)[:5] for _ in range(4)), *[Level.FATAL] * 4], np.object_
)
_FIELD: Final = (
    r'(?:"(?i:level|log\.level|log_level|severity|severity_text|severitytext|lvl)"\s*:\s*"'
    r'|(?:^|[\s,{])(?i:level|log\.level|log_level|severity|severity_text|lvl)="?)'
    r"(?P<word>(?i:trace|trc|debug|dbg|information|info|inf|warning|warn|wrn|error|err|critical|fatal))\b"
)
_BARE: Final = (
    r"(?P<word>\b(?:TRACE|DEBUG|INFO|WARNING|WARN|ERROR|ERR|CRITICAL|FATAL)\b"
    r"|\[(?:trace|debug|info|warning|warn|error|err|critical|fatal)\]"
    r"|\b(?:trace|debug|info|warning|warn|error|err|critical|fatal):"
    r"|\b(?:debug|info|warning)\b)"
)


def find_levels(records: Records, streams: Sequence[Labels]) -> list[str]:
    """Give a level for each record; `streams` are labels by reference."""
    levels = [""] * len(records) if records.levels is None else list(records.levels)
    _from_streams(levels, records, streams)
    _from_attributes(levels, records)
    _from_severity(levels, records)
    missing = [place for place, level in enumerate(levels) if not level]
    if missing:
        bodies = records.bodies if len(missing) == len(levels) else [records.bodies[place] for place in missing]
        for place, level in zip(missing, levels_of_lines(bodies), strict=True):
            levels[place] = level
    return levels


def levels_of_lines(lines: Sequence[str]) -> list[str]:
    """Give the level that each line speaks of, `unknown` where it speaks of none."""
    import pyarrow.compute as pc  # noqa: PLC0415 -- heavy; a process without a store never pays

    column = _column(lines)
    found = pc.extract_regex(column, _FIELD)
    is_bare = found.is_null()
    words = found.field("word")  # empty where nothing was found
    if pc.any(is_bare).as_py():
        bare = pc.extract_regex(column.filter(is_bare), _BARE).field("word")
        words = pc.replace_with_mask(words, is_bare, bare)
    coded = words.dictionary_encode()
    meanings = [WORDS.get(word.strip("[]:").lower(), Level.UNKNOWN) for word in coded.dictionary.to_pylist()]
    return [meanings[code] for code in coded.indices.to_pylist()]


def _column(lines: Sequence[str]) -> pa.LargeStringArray:
    """Give lines as a column; `pa.array` would import pandas, a third of a second, to see if they are its."""
    import pyarrow as pa  # noqa: PLC0415 -- as above

    parts = [line.encode("utf-8", "replace") for line in lines]
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)), out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(parts))]
    return pa.Array.from_buffers(pa.large_string(), len(parts), buffers)


def _from_streams(levels: list[str], records: Records, streams: Sequence[Labels]) -> None:
    by_ref: dict[int, str] = {}
    for ref in np.unique(records.refs).tolist():
        said = dict(streams[ref]) if ref >= 0 else {}
        word = next((said[name] for name in LEVEL_NAMES if name in said), "")
        if word:
            by_ref[ref] = normalise(word)
    if by_ref:
        for place, ref in enumerate(records.refs.tolist()):
            levels[place] = levels[place] or by_ref.get(ref, "")


def _from_attributes(levels: list[str], records: Records) -> None:
    attributes = records.attributes
    if attributes is None or not _NAMES.intersection((attributes.pairs or attributes).keys):
        return
    for place, level in enumerate(levels):
        if not level:
            pairs = attributes.row(place)
            word = next((pairs[name] for name in LEVEL_NAMES if name in pairs), "")
            levels[place] = normalise(word) if word else ""


def _from_severity(levels: list[str], records: Records) -> None:
    numbers = None if records.severities is None else records.severities.tolist()
    texts = records.severity_texts
    if numbers is None and texts is None:
        return
    for place, level in enumerate(levels):
        if level:
            continue
        text = texts[place] if texts is not None else ""
        known = WORDS.get(text.strip().lower()) if text else None
        if known is None and numbers is not None and numbers[place]:
            known = _BY_NUMBER[numbers[place]] if numbers[place] < len(_BY_NUMBER) else Level.UNKNOWN
        levels[place] = known or (normalise(text) if text else "")
