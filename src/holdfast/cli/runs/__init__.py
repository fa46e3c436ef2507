"""`holdfast runs`: durable runs of a server, seen and steered.

Owns how they look on a terminal. Refuses to reach into the database: everything goes through the server's API.
"""

from holdfast.cli.runs.registering import register

__all__ = ["register"]
