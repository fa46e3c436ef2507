"""`holdfast demo`: Holdfast watches the shop, a fault is injected, found, healed; all of it seen through the API.

Owns the story and its processes. Refuses to look inside: what it reports, it has observed over HTTP.
"""

from holdfast.cli.demo.commands import register

__all__ = ["register"]
