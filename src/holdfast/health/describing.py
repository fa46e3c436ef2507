"""A check's configuration as people may see it: its target in a few words, its file's fields with secrets masked."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final

from holdfast.health.checks import Check
from holdfast.kernel.secrets import MASK, Secret

_USERINFO: Final = re.compile(r"(://[^:/@\s]*):[^@/\s]+@")
_SECRET_WORDS: Final = re.compile(
    r"pass|token|secret|authori[sz]ation|cookie|api[-_]?key|credential|^key$", re.IGNORECASE
)
_REFERENCE: Final = re.compile(r"\$\{[^}]+\}")
_TARGETS: Final = ("url", "address", "target", "server", "host", "name", "command", "shell")


def describe_target(check: Check) -> str:
    """Give what the check asks, as short as a table wants it; empty for a kind that waits to be called."""
    for field in _TARGETS:
        value = getattr(check.spec, field, None)
        if isinstance(value, str) and value:
            port = getattr(check.spec, "port", None)
            return mask_text(f"{value}:{port}" if field == "host" and port else value)
        if isinstance(value, list | tuple) and value:
            return mask_text(" ".join(str(part) for part in value))
    return ""


def describe_config(check: Check) -> dict[str, Any]:
    """Give the check as plain JSON data, in the words of its file where they differ from the code's."""
    return {
        "name": check.name,
        "kind": check.kind,
        "service": check.service,
        "selector": dict(check.selector),
        "labels": dict(check.labels),
        "every_s": check.every_s,
        "timeout_s": check.timeout_s,
        "retries": dataclasses.asdict(check.retries),
        "for_s": check.for_s,
        "flap": dataclasses.asdict(check.flap),
        "parents": list(check.parents),
        check.kind: _plain(check.spec),
        "file": check.place.file,
        "line": check.place.line,
    }


def mask_text(text: str) -> str:
    """Hide the password of a URL."""
    return _USERINFO.sub(rf"\1:{MASK}@", text)


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, Secret):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner, name) for inner in value]
    if isinstance(value, str):
        return _mask(value, name)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _mask(text: str, name: str) -> str:
    """Mask what a secret's field holds, unless it is a reference, which tells nothing."""
    if _SECRET_WORDS.search(name) and text and not _REFERENCE.search(text):
        return MASK
    return mask_text(text)
