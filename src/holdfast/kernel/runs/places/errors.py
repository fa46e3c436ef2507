"""Errors of the places where step code runs."""

from __future__ import annotations

from holdfast.kernel.errors import HoldfastError, InvalidError, LimitError


class StepPlaceError(InvalidError):
    """The work of a step cannot be done in the place that it names."""

    code = "step_place"


class StepDiedError(HoldfastError):
    """The process, container or Job of a step ended before it gave a result."""

    code = "step_died"


class StepRaisedError(HoldfastError):
    """The code of a step raised, in its own process, an error whose type cannot be made here."""

    code = "step_raised"


class CommandFailedError(HoldfastError):
    """The command of a step ended with an exit code that means failure."""

    code = "command_failed"


class ThreadsAbandonedError(LimitError):
    """Too many threads of steps go on although their time is over; no further ones are started."""

    code = "threads_abandoned"
