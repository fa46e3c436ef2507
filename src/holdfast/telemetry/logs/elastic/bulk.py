"""The body of a `_bulk` as actions: a line that says what to do, and for most a line with the document.

Source: Elasticsearch's reference, "Bulk API".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from holdfast.kernel.errors import InvalidError

_WITH_DOCUMENT: Final = frozenset({"create", "index", "update"})
_ACTIONS: Final = _WITH_DOCUMENT | {"delete"}
_STORING: Final = frozenset({"create", "index"})


class Action(NamedTuple):
    """One item: where it goes, its document, or what is wrong with it."""

    name: str
    where: str
    id: str
    document: Mapping[str, Any] | None = None
    fault: str = ""


def read_bulk(body: bytes, index: str, most: int) -> list[Action]:
    """Give the actions; `index` is that of the path.

    Raises:
        InvalidError: it is no bulk, is cut off, or holds more than `most` items; nothing of it is taken.
    """
    if not body.strip():
        raise InvalidError("request body is required")
    if not body.endswith(b"\n"):
        raise InvalidError("The bulk request must be terminated by a newline [\\n]")
    actions: list[Action] = []
    lines = iter(enumerate(body.split(b"\n"), 1))
    for number, line in lines:
        if not line.strip():
            continue
        if len(actions) >= most:
            raise InvalidError(f"the request has more than elastic.max_documents = {most} items")
        name, said = _read_action(line, number)
        where, key = _text(said, "_index", number) or index, _text(said, "_id", number)
        document = next(lines, (0, b""))[1] if name in _WITH_DOCUMENT else b""
        actions.append(_action(Action(name, where, key), document))
    return actions


def _read_action(line: bytes, number: int) -> tuple[str, Mapping[str, Any]]:
    try:
        action = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"Malformed action/metadata line [{number}]: {error}") from None
    if not isinstance(action, Mapping) or len(action) != 1:
        raise InvalidError(f"Malformed action/metadata line [{number}], expected an object with one action")
    [(name, said)] = action.items()
    if name not in _ACTIONS:
        raise InvalidError(
            f"Malformed action/metadata line [{number}], found [{name}]",
            hint="expected one of create, delete, index, update",
        )
    if not isinstance(said, Mapping):
        raise InvalidError(f"Malformed action/metadata line [{number}], expected START_OBJECT after [{name}]")
    return name, said


def _text(said: Mapping[str, Any], name: str, number: int) -> str:
    value = said.get(name)
    if value is not None and not isinstance(value, str | int):
        raise InvalidError(f"Malformed action/metadata line [{number}], [{name}] is no text")
    return "" if value is None else str(value)


def _action(action: Action, line: bytes) -> Action:
    if action.name not in _STORING:
        return action._replace(fault=f"[{action.name}] is not possible: log records are only ever added")
    if not action.where:
        return action._replace(fault="Validation Failed: 1: index is missing;")
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return action._replace(fault=f"failed to parse: {error}")
    if not isinstance(document, Mapping):
        return action._replace(fault="failed to parse: the document is no object")
    return action._replace(document=document)
