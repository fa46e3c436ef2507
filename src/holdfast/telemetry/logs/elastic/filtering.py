"""`filter_path`: a part of an answer, as senders ask for it to save room.

Source: Elasticsearch's reference, "Response filtering": `*` is one name, `**` any depth, `-` leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

_MOST: Final = 20  # patterns of one request; more are not looked at


def filtered(document: Any, patterns: Sequence[str]) -> Any:
    """Give what the patterns name; all of it if there are none."""
    patterns = patterns[:_MOST]
    wanted = [pattern.split(".") for pattern in patterns if not pattern.startswith("-")]
    unwanted = [pattern[1:].split(".") for pattern in patterns if pattern.startswith("-")]
    kept = _only(document, wanted) if wanted else document
    return _without(kept, unwanted) if unwanted else kept


def _next(name: str, paths: Sequence[list[str]]) -> tuple[bool, list[list[str]]]:
    """Tell whether a path ends at this name, and give the rest of those that go on below it."""
    rests = []
    for path in paths:
        if path[0] == "**":
            rests += [path, *([path[2:]] if len(path) > 1 and fnmatchcase(name, path[1]) else [])]
        elif fnmatchcase(name, path[0]):
            rests.append(path[1:])
    return any(not rest for rest in rests) or ["**"] in rests, [rest for rest in rests if rest]


def _only(value: Any, paths: Sequence[list[str]]) -> Any:
    if isinstance(value, list):
        return [kept for each in value if (kept := _only(each, paths)) not in ({}, [])]
    if not isinstance(value, dict):
        return {}
    found = {}
    for name, inner in value.items():
        is_whole, rests = _next(name, paths)
        kept = inner if is_whole else _only(inner, rests) if rests else {}
        if is_whole or kept not in ({}, []):
            found[name] = kept
    return found


def _without(value: Any, paths: Sequence[list[str]]) -> Any:
    if isinstance(value, list):
        return [_without(each, paths) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        is_whole, rests = _next(name, paths)
        if not is_whole:
            found[name] = _without(inner, rests) if rests else inner
    return found
