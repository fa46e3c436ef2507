"""Samples summed up by 5 minutes and by the hour, so that long times are cheap to keep and to ask for.

Native histograms are thinned (`thinning`). How it is done is `rolling`, what of it a query may use `choosing`.
"""

from holdfast.telemetry.metrics.downsampling.choosing import HOUR_MS, MINUTES_MS
from holdfast.telemetry.metrics.downsampling.cuts import Cuts, Kept
from holdfast.telemetry.metrics.downsampling.reading import RolledAnswer, RollupReader
from holdfast.telemetry.metrics.downsampling.rolled import RolledSlots
from holdfast.telemetry.metrics.downsampling.rolling import Rolling

__all__ = ["HOUR_MS", "MINUTES_MS", "Cuts", "Kept", "RolledAnswer", "RolledSlots", "Rolling", "RollupReader"]
