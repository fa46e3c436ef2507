"""`holdfast demo`: Holdfast watches the shop; a bad release breaks it, is seen, named and healed, all through the API.

Owns the story and its processes. Refuses to look inside: what it reports, it has observed over HTTP.
"""

from holdfast.cli.demo.commands import register

__all__ = ["register"]
