"""Live tails: lines go to whoever follows a query as soon as the store has them, over Loki's WebSocket.

Owns who follows, what waits for them within bounds, and what they are told they have missed. Refuses to store, to
parse LogQL and to make anybody who sends logs wait for those who read them.
"""

from holdfast.telemetry.logs.tailing.settings import SECTION, TailSettings
from holdfast.telemetry.logs.tailing.wiring import TailRoom, wire

__all__ = ["SECTION", "TailRoom", "TailSettings", "wire"]
