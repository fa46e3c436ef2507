"""Traffic: many customers who browse, fill carts, buy, come back; more at noon and in the evening than at night.

Owns the shape of the load. Refuses to know anything of the shop but its public API.
"""

from shop.traffic.generator import generate

__all__ = ["generate"]
