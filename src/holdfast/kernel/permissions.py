"""Roles and permissions: the words in which a room says who may use it.

A room declares its permissions in its `wiring`; `kernel.auth` decides who holds them. Nothing here knows people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person or token may do; each role may do all that the roles before it may."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Give the height of the role, from 0."""
        return _RANKS[self]

    def covers(self, other: Role) -> bool:
        """Tell whether this role may do all that `other` may."""
        return self.rank >= other.rank


_RANKS: Final = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a room lets people do.

    `name` is `<room>.<verb>` (`health.run`), `role` the lowest role that holds it, `summary` one line for people.
    """

    name: str
    role: Role
    summary: str
