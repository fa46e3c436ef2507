"""Queues: who may start now, over all processes, and what people say about it (pause, resume, drain).

Owns the limits, the order and the claim. Refuses to run anything: the engine takes what a claim gives it.
"""

from holdfast.kernel.runs.queues.board import CHANGED, QueueBoard
from holdfast.kernel.runs.queues.claiming import Claim, Claimed, claim
from holdfast.kernel.runs.queues.places import Claimant
from holdfast.kernel.runs.queues.queue import DEFAULT_QUEUE, Queue, check_priority
from holdfast.kernel.runs.queues.rates import Rate, parse_rate
from holdfast.kernel.runs.queues.reading import QueueView
from holdfast.kernel.runs.queues.states import QueueState, Ruling

__all__ = [
    "CHANGED",
    "DEFAULT_QUEUE",
    "Claim",
    "Claimant",
    "Claimed",
    "Queue",
    "QueueBoard",
    "QueueState",
    "QueueView",
    "Rate",
    "Ruling",
    "check_priority",
    "claim",
    "parse_rate",
]
