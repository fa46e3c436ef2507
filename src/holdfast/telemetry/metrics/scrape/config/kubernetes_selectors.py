"""Selectors of Kubernetes, judged as its own client does it before it asks: by labels, and by fields.

Sources: Kubernetes' documentation of labels and of field selectors; apimachinery, labels and fields.
"""

from __future__ import annotations

import re
from typing import Final

_PREFIX: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_WORD: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = rf"(?:{_PREFIX}/)?{_WORD}"
_VALUE: Final = rf"(?:{_WORD})?"
_SET: Final = rf"\(\s*{_VALUE}(?:\s*,\s*{_VALUE})*\s*\)"
_REQUIREMENT: Final = rf"!\s*{_KEY}|{_KEY}(?:\s*(?:==|!=|=)\s*{_VALUE}|\s*[<>]\s*-?\d+|\s+(?:in|notin)\s*{_SET})?"
_LABELS: Final = re.compile(rf"\s*(?:(?:{_REQUIREMENT})(?:\s*,\s*(?:{_REQUIREMENT}))*)?\s*")
_TERM: Final = re.compile(r"(?:\\.|[^\\,])+")
_FIELD: Final = re.compile(r"[^=!]*(?:!=|==|=)(?:\\[\\,=]|[^\\,=])*")


def is_label_selector(text: str) -> bool:
    """Tell whether it is one; the empty one selects everything."""
    return _LABELS.fullmatch(text) is not None


def is_field_selector(text: str) -> bool:
    """Tell whether it is one; a comma, an equals sign or a backslash of a value stands behind a backslash."""
    return all(_FIELD.fullmatch(term) for term in _TERM.findall(text)) and not text.endswith("\\")
