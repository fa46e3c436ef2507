"""Refuses a body that holds more things than any sender means to send, before anything is made of them.

An empty record takes two bytes on the wire and a hundred in memory, so that a body within its limit could become
gigabytes. What a real sender puts into 16 MB is far below the bound. Small bodies are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from functools import lru_cache
from typing import Any, Final

from holdfast.kernel.http import TooLargeError
from holdfast.telemetry.field_tables import message_class

MOST: Final = 500_000  # rows of one body; `telemetry.queue_rows` keeps out more by itself
MOST_JSON: Final = 2 * MOST  # objects and lists
MOST_ATTRIBUTES: Final = 10_000  # of one resource, scope, record, span or point; SDKs send 128 at most
LOOKED_AT_BYTES: Final = 1_000_000
_HINT: Final = "let the sender put less into one request"

Tree = Mapping[int, "Tree"]  # numbers of repeated fields, and those within them


def refuse_crowd(body: bytes, tree: Tree) -> None:
    """Return if a protobuf message holds at most `MOST` of what the tree names; one that is none is not our matter.

    Raises:
        TooLargeError: it holds more.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 -- protobuf loads slowly

    if len(body) > LOOKED_AT_BYTES:
        try:
            _count([body], tree, 0)
        except DecodeError:
            return


def refuse_crowded_json(body: bytes) -> None:
    """Return if a JSON document holds at most `MOST_JSON` objects and lists; brackets within texts count, too.

    Raises:
        TooLargeError: it holds more.
    """
    if len(body) > LOOKED_AT_BYTES and body.count(b"{") + body.count(b"[") > MOST_JSON:
        raise TooLargeError(f"the body holds more than {MOST_JSON} objects and lists", hint=_HINT)


def refuse_crowded_attributes(attributes: Sized) -> None:
    """Return if there are at most `MOST_ATTRIBUTES`.

    Raises:
        TooLargeError: there are more.
    """
    if len(attributes) > MOST_ATTRIBUTES:
        raise TooLargeError(f"one thing of the body has more than {MOST_ATTRIBUTES} attributes", hint=_HINT)


def refuse_crowded_text(body: bytes) -> None:
    """Return if a text has at most `MOST` lines.

    Raises:
        TooLargeError: it has more.
    """
    if len(body) > LOOKED_AT_BYTES and body.count(b"\n") > MOST:
        raise TooLargeError(f"the body has more than {MOST} lines", hint=_HINT)


def _count(parts: list[bytes], tree: Tree, counted: int) -> int:
    lean = _lean(tuple(tree))
    within: dict[int, list[bytes]] = {number: [] for number in tree}
    for part in parts:
        message = lean.FromString(part)
        for number in tree:
            found = getattr(message, f"field_{number}")
            counted += len(found)
            if counted > MOST:
                raise TooLargeError(f"the body holds more than {MOST} rows", hint=_HINT)
            if tree[number]:
                within[number] += found
    for number, below in tree.items():
        if below:
            counted = _count(within[number], below, counted)
    return counted


@lru_cache(maxsize=64)
def _lean(numbers: tuple[int, ...]) -> Any:
    """Give a class that leaves what the fields hold as bytes, 16 more of each and no object."""
    fields = tuple((number, f"field_{number}", "*bytes") for number in numbers)
    return message_class({"Level": fields}, "holdfast.crowds", "Level")
