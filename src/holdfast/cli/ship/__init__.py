"""`holdfast ship`: follows files and journald, and sends their lines to a running server, each at least once.

Owns following, the disk buffer and the positions. Refuses parsing: the server recognises what a line tells.
"""

from holdfast.cli.ship.commands import register

__all__ = ["register"]
