"""The kinds of events about runs: what people care about, each with who did it. Their data is small JSON."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

KINDS: Final = (
    EventKind("run.started", "a run began (of workflows that tell all): {workflow, version}"),
    EventKind("run.succeeded", "a run succeeded (of workflows that tell all): {workflow, version}"),
    EventKind("run.failed", "a run failed: {workflow, version, type, error}"),
    EventKind("run.cancelled", "a run was cancelled, and undone as far as it can be: {workflow, version}"),
    EventKind("run.stranded", "the code changed under a run, which waits for people: {workflow, version, error}"),
    EventKind("run.compensation_failed", "a step could not be undone: {workflow, step, error}"),
    EventKind("run.signal_received", "somebody told a run something, such as an approval: {workflow, signal}"),
    EventKind("run.cancel_requested", "somebody asked a run to stop: {workflow, reason}"),
    EventKind("run.retried", "somebody let a failed run go on: {workflow}"),
    EventKind("run.replayed", "somebody let a run begin anew from a step: {workflow, from_step}"),
    EventKind("run.resumed", "somebody let a stranded run finish on its old code: {workflow}"),
)
