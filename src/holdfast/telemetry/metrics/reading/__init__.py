"""How samples come out of the store: blocks of columns, remembered in memory, joined into what PromQL gets."""

from holdfast.telemetry.metrics.reading.assembling import Assembled
from holdfast.telemetry.metrics.reading.cache import BlockCache
from holdfast.telemetry.metrics.reading.metrics import CacheFigures
from holdfast.telemetry.metrics.reading.reader import SampleReader

__all__ = ["Assembled", "BlockCache", "CacheFigures", "SampleReader"]
