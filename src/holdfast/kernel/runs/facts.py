"""What is kept in memory about one run: what stands from its start on, its open waits, and what must be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.kernel.runs.model import RunId, StepKind
from holdfast.kernel.runs.records import Step


@dataclass(slots=True)
class Facts:
    """What stands about a run from its start on."""

    id: RunId
    tenant: str
    epoch: int
    attempt_group: int
    actor: str
    service: str | None
    is_dry_run: bool
    deadline: datetime | None
    queue: str
    concurrency_key: str | None
    parent_id: RunId | None
    created_at: datetime
    started_at: datetime
    recoveries: int = 0
    schedule: str | None = None


@dataclass(slots=True)
class Wait:
    """One branch of the code that waits; `answer` is set by whatever it waits for."""

    kind: StepKind
    name: str
    key: str
    until: datetime | None
    answer: asyncio.Future[Any]
    kind_of_payload: Any = None


@dataclass(slots=True)
class Undo:
    """A compensation that is due should the run not succeed."""

    step: Step
    call: Callable[[Any], Awaitable[Any]]
