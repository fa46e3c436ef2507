"""What is kept, read and refused, of which service, stream and signal, what it costs, and what the store is made of.

Owns the reports and the prices. Refuses to count: that is the signals' own work.
"""

from holdfast.telemetry.usage.settings import SECTION, UsageSettings
from holdfast.telemetry.usage.wiring import UsageRoom, wire

__all__ = ["SECTION", "UsageRoom", "UsageSettings", "wire"]
