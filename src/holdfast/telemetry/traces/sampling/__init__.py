"""Tail sampling: all spans are stored for a short while; when a trace is whole, policies say whether it stays.

Owns the policies and the job that carries them out. Refuses to hold spans back: what is acknowledged is stored.
"""

from holdfast.telemetry.traces.sampling.policies import Verdicts, judge
from holdfast.telemetry.traces.sampling.rounds import Sampling
from holdfast.telemetry.traces.sampling.whole_traces import WholeTraces

__all__ = ["Sampling", "Verdicts", "WholeTraces", "judge"]
