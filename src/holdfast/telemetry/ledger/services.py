"""Which service a series or stream is of, and services as small numbers, so that a batch is counted all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

OURS: Final = "holdfast"  # what measures itself, its host and its checks
OTHERS: Final = "(others)"  # stands for the services that are too many to be told one by one
_NAMING: Final = ("service_name", "service", "job", "app")  # as `[around]` looks for them
_MOST: Final = 10_000


def service_of(labels: Sequence[tuple[str, str]]) -> str:
    """Give the service that labels name: the first of four labels that does; in `job` it may follow a namespace."""
    found = dict(labels)
    for name in _NAMING:
        if value := found.get(name):
            return value.rpartition("/")[2] if name == "job" else value
    return ""


class Services:
    """The services of one book of streams or series; `names` are indexed by code and only grow."""

    __slots__ = ("_codes", "names")

    def __init__(self) -> None:
        self.names: list[str] = [OTHERS]
        self._codes: dict[str, int] = {OTHERS: 0}

    def code(self, labels: Sequence[tuple[str, str]], usual: str = "") -> int:
        """Give the number of the service that labels name, or of the usual one where they name none."""
        name = service_of(labels) or usual
        found = self._codes.get(name)
        if found is None:
            if len(self.names) >= _MOST:
                return 0
            found = self._codes[name] = len(self.names)
            self.names.append(name)
        return found
