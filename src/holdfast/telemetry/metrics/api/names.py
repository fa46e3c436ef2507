"""Names of labels in paths: those with other characters than letters, digits and `_` come escaped as `U__...`.

The scheme is that of Prometheus' "UTF-8 names" proposal: `__` stands for `_`, `_2e_` for the character U+002E.
"""

from __future__ import annotations

import re
from typing import Final

_PREFIX: Final = "U__"
_ESCAPE: Final = re.compile(r"__|_([0-9a-fA-F]{1,6})_|_")


def unescape_name(name: str) -> str:
    """Give the name that `name` stands for; what is not a valid escape is taken as it is."""
    if not name.startswith(_PREFIX):
        return name
    is_valid = True

    def restore(match: re.Match[str]) -> str:
        nonlocal is_valid
        if match[0] == "__":
            return "_"
        if match[1] is None or int(match[1], 16) > 0x10FFFF or 0xD800 <= int(match[1], 16) <= 0xDFFF:
            is_valid = False
            return match[0]
        return chr(int(match[1], 16))

    restored = _ESCAPE.sub(restore, name[len(_PREFIX) :])
    return restored if is_valid else name
