"""Conditions as people write them, `name=value`: words of the API, and everything else as attributes."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import orjson
import typer

from holdfast.kernel.errors import InvalidError

WORDS: Final = ("service", "operation", "status", "kind", "min_duration", "max_duration", "roots")

Conditions = Annotated[
    list[str] | None,
    typer.Argument(
        help=f"{', '.join(WORDS)} or any attribute, each as name=value; all must hold.", metavar="NAME=VALUE..."
    ),
]
StartOption = Annotated[str, typer.Option(help="Since when; an hour ago if not given.")]
EndOption = Annotated[str, typer.Option(help="Until when; now if not given.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_conditions(conditions: list[str]) -> dict[str, str | list[str]]:
    """Give the query of the API: its own words, and everything else as attributes.

    Raises:
        InvalidError: one is no name=value.
    """
    query: dict[str, str | list[str]] = {}
    attributes: list[str] = []
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals or not name:
            raise InvalidError(f"no name=value: {condition!r}", hint="such as service=shop or http.route=/cart")
        if name in WORDS:
            query[name] = value
        else:
            attributes.append(condition)
    return query | {"attribute": attributes}


def time_of(start: str, end: str) -> dict[str, str]:
    """Give what was said of the time."""
    return {name: text for name, text in (("start", start), ("end", end)) if text}


def print_json(document: Any) -> None:
    """Print a document."""
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
