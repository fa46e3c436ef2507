"""References to secrets inside text: `${env:NAME}`, `${file:/path}`, `${dir:name}`; `$${` stands for a plain `${`.

Finding them reads nothing; `resolver` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_BODY: Final = re.compile(r"([a-z][a-z0-9_-]*):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is kept: the provider's `scheme` and the `name` that it knows."""

    scheme: str
    name: str

    def __str__(self) -> str:
        """Give the reference as it is written in a file."""
        return f"${{{self.scheme}:{self.name}}}"


def find_references(text: str) -> tuple[Reference, ...]:
    """Give the references in `text`, in order, each once.

    Raises:
        InvalidError: something that begins like a reference is not one.
    """
    found: dict[Reference, None] = {}

    def note(reference: Reference) -> str:
        found[reference] = None
        return ""

    replace_references(text, note)
    return tuple(found)


def replace_references(text: str, value_of: Callable[[Reference], str]) -> str:
    """Give `text` with every reference replaced by `value_of` it and every `$${` by `${`."""

    def replace(match: re.Match[str]) -> str:
        if match[1] is None:
            return "${"
        body = _BODY.fullmatch(match[1])
        if not match[2] or body is None:
            raise InvalidError(
                f"{match[0]!r} is not a reference to a secret",
                hint="write ${env:NAME}, ${file:/path} or ${dir:name}; $${ stands for a plain ${",
            )
        return value_of(Reference(body[1], body[2]))

    return _TOKEN.sub(replace, text)
