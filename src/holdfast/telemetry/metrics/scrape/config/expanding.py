"""Variables of the environment in `external_labels`, as Prometheus 3 fills them in (Go's os.Expand).

`$NAME` and `${NAME}` are what the variable says, `$$` is a dollar, and a variable that is not set is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[*#$@!?0-9-]))", re.ASCII)


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Give `text` with its variables filled in."""

    def fill(found: re.Match[str]) -> str:
        name = found[1] if found[1] is not None else found[2]
        return "$" if name == "$" else variables.get(name, "")

    return _VARIABLE.sub(fill, text)
