"""Gateway: the shop's only door to the world.

Owns tokens, rates and the public API. Refuses business: it checks who asks, how often, and passes on.
"""

from shop.gateway.app import build, describe

__all__ = ["build", "describe"]
