"""The shop: six small services that Holdfast watches, breaks and repairs.

Owns the services, their supervisor, their traffic and their faults. Refuses to share code between two services except
through `shop.chassis` (what every service has) and `shop.wire` (what is generated from `proto/`).
"""

__all__: list[str] = []
