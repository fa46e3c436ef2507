"""Time as a thing that is passed in, so that tests can hold it still. Nothing else may ask the system for the time.

It is the clock of `holdfast.resilience`: the server and the library tell the same time.
"""

from holdfast.resilience import Clock, SystemClock
from holdfast.resilience.testing import FakeClock

__all__ = ["Clock", "FakeClock", "SystemClock"]
