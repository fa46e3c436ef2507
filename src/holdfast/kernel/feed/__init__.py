"""The event log over HTTP: pages of it, and a live stream of server-sent events.

Owns the wire format of events. Refuses writes: events come from the rooms that they tell about.
"""

from holdfast.kernel.feed.wiring import Feed, wire

__all__ = ["Feed", "wire"]
