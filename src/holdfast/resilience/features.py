"""A part of the program that can be switched off by hand while it does more harm than good.

The switch is per process; a `Fallback` with it answers without calling while it is off.
"""

from __future__ import annotations


class Feature:
    """A switch with a name and a reason: `recommendations.turn_off("the model server is being moved")`."""

    __slots__ = ("name", "reason")

    def __init__(self, name: str) -> None:
        self.name = name
        self.reason: str | None = None

    def __repr__(self) -> str:
        """Show whether it is on."""
        return f"Feature({self.name!r}, {'on' if self.is_on else f'off: {self.reason}'})"

    @property
    def is_on(self) -> bool:
        """Whether it is in use."""
        return self.reason is None

    def turn_off(self, reason: str) -> None:
        """Use the fallback from now on; the reason is told with each answer."""
        self.reason = reason

    def turn_on(self) -> None:
        """Call again."""
        self.reason = None
