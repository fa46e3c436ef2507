"""Hides secrets in what runs show of themselves: lines of output, fields, plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Mask = Callable[[str], str]


def mask_values(mask: Mask, name: str, value: Any) -> Any:
    """Give JSON data with every text in it masked; `name` is what the value is called, because that may tell."""
    if isinstance(value, str):
        return mask(f"{name}={value}")[len(name) + 1 :].replace("\0", "")
    if isinstance(value, dict):
        return {inner: mask_values(mask, str(inner), it) for inner, it in value.items()}
    if isinstance(value, list):
        return [mask_values(mask, name, it) for it in value]
    return value
