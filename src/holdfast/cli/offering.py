"""Groups of commands that are read when they are run: `--help` and completion see names and one line of each.

A command's module may import a third of the product; who asks for another command does not wait for that.
"""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Offer(NamedTuple):
    """A command or a group that somebody may ask for; a test compares `says` with what it says of itself."""

    name: str
    source: str  # module:function; the function adds the command to a `typer.Typer`
    says: str


class Unread(TyperCommand):
    """Stands in a group for a command until somebody runs it or asks for its help."""

    def __init__(self, offer: Offer) -> None:
        """Know what to read."""
        super().__init__(offer.name, help=offer.says)
        self.offer = offer

    def read(self) -> Any:
        """Import the command's module and give the command."""
        module, _, register = self.offer.source.partition(":")
        made = typer.Typer(add_completion=False)
        made.callback()(_be_group)
        getattr(_import(module), register)(made)
        group: Any = typer.main.get_command(made)
        return group.commands[self.offer.name]

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Let the command itself read its arguments; what is invoked then is the context's command."""
        return self.read().make_context(info_name, args, parent, **extra)


class Offering(TyperGroup):
    """A group that begins with what it offers, unread."""

    offers: ClassVar[tuple[Offer, ...]] = ()

    def __init__(self, **attributes: Any) -> None:
        """Put what is offered before what was added."""
        super().__init__(**attributes)
        self.commands = {offer.name: Unread(offer) for offer in self.offers} | dict(self.commands)


def _import(module: str) -> ModuleType:
    """Import a module with what it needs; what is loaded stays, so the collector does not look at it, then or later."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def _be_group() -> None:
    """Make a group of a single command, too."""
