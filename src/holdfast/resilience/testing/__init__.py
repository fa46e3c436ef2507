"""What tests of code with policies need: time that stands still, scripted failures, a record of events, chaos.

Shipped, because users' tests need it too. Refuses to patch anything: every part is handed in.
"""

from holdfast.resilience.testing.chaos import Chaos, chaos
from holdfast.resilience.testing.fake_clock import FakeClock
from holdfast.resilience.testing.recording import Recorder, record
from holdfast.resilience.testing.scripts import Script, answers, fails

__all__ = ["Chaos", "FakeClock", "Recorder", "Script", "answers", "chaos", "fails", "record"]
