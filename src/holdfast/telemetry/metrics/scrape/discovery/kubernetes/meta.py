"""The labels that every role shares: names made into label names, labels and annotations of an object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

PREFIX: Final = "__meta_kubernetes_"
_UNNAMED: Final = re.compile(r"[^a-zA-Z0-9_]")


def about(kind: str, one: Mapping[str, Any]) -> dict[str, str]:
    """Give the labels and annotations of an object as labels of a target."""
    told = one.get("metadata") or {}
    found: dict[str, str] = {}
    for word, pairs in (("label", told.get("labels")), ("annotation", told.get("annotations"))):
        for name, value in (pairs or {}).items():
            clean = _UNNAMED.sub("_", name)
            found[f"{PREFIX}{kind}_{word}_{clean}"] = value
            found[f"{PREFIX}{kind}_{word}present_{clean}"] = "true"
    return found


def clean(name: str) -> str:
    """Give a name with everything replaced that a label name may not hold."""
    return _UNNAMED.sub("_", name)


def joined(host: str, port: object) -> str:
    """Give `host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def word(flag: object) -> str:
    """Give `true` or `false`."""
    return "true" if flag else "false"
