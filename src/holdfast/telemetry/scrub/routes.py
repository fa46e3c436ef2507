"""`GET /scrub` shows what is looked for, what becomes of it and what was found; `POST /scrub/try` tries it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends
from pydantic import Field

from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.scrub.scrubbing import Scrubbing
from holdfast.telemetry.scrub.settings import Action

Reader = Annotated[Identity, Depends(requires("logs.read"))]
Line = Annotated[str, Field(max_length=10_000)]


@dataclass(frozen=True, slots=True)
class ScrubKind:
    """A kind of secret: what becomes of it, and how often it was found since this process started, by door too.

    `expression` is that of a pattern of one's own; None for those that are built in.
    """

    kind: str
    action: Action
    in_logs: int
    in_traces: int
    doors: Mapping[str, int]
    expression: str | None


@dataclass(frozen=True, slots=True)
class ScrubReport:
    """What is taken out of a tenant's signals before they are kept."""

    kinds: Sequence[ScrubKind]


@dataclass(frozen=True, slots=True)
class ScrubTrial:
    """What lines would be kept as, and what was found in each: how often, by kind."""

    lines: Sequence[str]
    found: Sequence[Mapping[str, int]]


def routes(scrubbing: Scrubbing) -> APIRouter:
    """Give the routes."""
    router = APIRouter(prefix="/scrub", tags=["logs"])

    @router.get("", operation_id="getScrubbing")
    async def get_scrubbing(identity: Reader) -> ScrubReport:
        """Say what is looked for in the tenant's logs and traces, and how often it was found."""
        tenant = identity.tenant
        scrubber = scrubbing.of(tenant)
        actions = scrubber.actions
        return ScrubReport(
            [
                ScrubKind(
                    str(kind),
                    action,
                    scrubbing.finds.get((tenant, "logs", str(kind), action), 0),
                    scrubbing.finds.get((tenant, "traces", str(kind), action), 0),
                    dict(scrubbing.by_door.get((tenant, str(kind)), {})),
                    scrubber.own.get(kind),
                )
                for kind, action in sorted(actions.items())
            ]
        )

    @router.post("/try", operation_id="tryScrubbing")
    async def try_scrubbing(
        identity: Reader, lines: Annotated[list[Line], Body(embed=True, min_length=1, max_length=1000)]
    ) -> ScrubTrial:
        """Give lines as they would be kept; nothing is stored or counted."""
        scrubber = scrubbing.of(identity.tenant)
        found = [scrubber.scrub([line]).finds for line in lines]
        kinds = [{str(kind): count for (kind, _), count in sorted(each.items())} for each in found]
        return ScrubTrial(scrubber.scrub(lines).texts, kinds)

    return router
