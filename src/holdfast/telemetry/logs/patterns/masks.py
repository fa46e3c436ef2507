"""Takes out of a line what changes from record to record: numbers, ids, addresses, times, quoted strings.

What is masked becomes `<_>`, so that a pattern is also one of LogQL's `|>` filter. `shapes_of` is the fast way in
front: two lines that are equal without digits have one pattern, so only one of them needs to be masked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

GAP: Final = "<_>"
LONGEST: Final = 1000  # letters of a line that are looked at; the rest is a gap
DIGITS: Final = b"0123456789"
_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MASKED: Final = re.compile(
    rf"""
    (?<![\w.-])(?:
        [0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{12}}
      | \d{{4}}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|[+-]\d\d:?\d\d)?)?
      | \d\d?/(?:{_MONTHS})/\d{{4}}:\d\d:\d\d:\d\d(?:\s[+-]\d{{4}})?
      | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s)?(?:{_MONTHS})\s+\d\d?\s+\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\s\d{{4}})?
      | [0-9a-fA-F]{{0,4}}:(?:[0-9a-fA-F]{{0,4}}:){{2,6}}[0-9a-fA-F]{{0,4}}
      | 0x[0-9a-fA-F]+
      | (?=[a-fA-F]{{0,64}}\d)[0-9a-fA-F]{{8,128}}
      | (?=[A-Za-z_-]{{0,64}}\d[A-Za-z_-]{{0,64}}\d)[\w-]{{20,256}}
    )(?!\w)
    | (?<!msg=)(?<!message=)(?<!event=)(?<!error=)(?<!err=)
      "(?!(?:GET|POST|PUT|HEAD|DELETE|PATCH|OPTIONS)\s)[^"\\]{{0,400}}(?:\\.[^"\\]{{0,400}}){{0,40}}"(?!\s*:)
    | (?<![\w'])'[^'\n]{{1,200}}'(?!\w)
    | [+-]?\d+(?:[.,:]\d+)*
    """,
    re.VERBOSE,
)
_MESSAGE: Final = re.compile(r'"(?:message|msg|event|log|error)"\s*:\s*"((?:[^"\\]|\\.){1,1000})"')
_DOUBLED: Final = re.compile(r"(?:<_>){2,}")


def mask(line: str) -> str:
    """Give the line with gaps; of a JSON object only its message, with gaps around it."""
    if line.startswith("{"):
        found = _MESSAGE.search(line)
        if found:
            start, end = found.span(1)
            return _mask(f"{GAP}{line[found.start() : start]}{_mask(line[start:end])}{line[end : found.end()]}{GAP}", 0)
    return _mask(line)


def _mask(line: str, longest: int = LONGEST) -> str:
    if not longest:
        return _DOUBLED.sub(GAP, line)
    cut = line if len(line) <= longest else line[:longest] + GAP
    return _DOUBLED.sub(GAP, _MASKED.sub(GAP, cut))


def shapes_of(lines: Sequence[str]) -> list[bytes]:
    """Give each line without digits; of a line with line ends inside, such as a stack trace, the first."""
    if not lines:
        return []
    joined = "\n".join([line if "\n" not in line else line.partition("\n")[0] for line in lines])
    return joined.encode("utf-8", "surrogateescape").translate(None, DIGITS).split(b"\n")
