"""What people and programs send to change runs: strict JSON bodies. The answers stand in `documents`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
StepKey = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Seconds = Annotated[float, Field(ge=0, le=366 * 86400)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StartBody(_Body):
    """A run to start. `key` makes it happen once: a second start with it gives the run of the first."""

    workflow: Word
    input: Any = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    key: Word | None = None
    queue: Word | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    concurrency_key: Word | None = None
    delay_s: Seconds | None = None
    deadline_at: AwareDatetime | None = None
    dry_run: bool = False
    service: Word | None = None


class SignalBody(_Body):
    """What a run is told. `key` makes it happen once."""

    payload: Any = None
    key: Word | None = None


class ReasonBody(_Body):
    """Why somebody stops a run; it stands in the audit trail."""

    reason: Text = ""


class ReplayBody(_Body):
    """From which step on everything is done anew; without one, from what failed or is missing."""

    from_step: StepKey | None = None


class ResolveBody(_Body):
    """The way out of being stranded: finish on the old version, do it anew from a step, or cancel with compensation."""

    way: Literal["finish-old", "replay", "cancel"]
    from_step: StepKey | None = None
