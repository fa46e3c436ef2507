"""`/deploys`: which versions run, what was deployed when, and records of who deploys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, ConfigDict, Field

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.units import Moment
from holdfast.telemetry.versions.book import Deploy, Recorded, VersionBook
from holdfast.telemetry.versions.hints import LONGEST
from holdfast.telemetry.versions.recording import Recording

Reader = Annotated[Identity, Depends(requires("deploys.read"))]
Recorder = Annotated[Identity, Depends(requires("deploys.record"))]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f]+$")]
Text = Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00-\x1f]*$")]
Link = Annotated[str, Field(max_length=2000, pattern=r"^(https?://[^\s<>\"\x00-\x1f]+)?$")]


@dataclass(frozen=True, slots=True)
class DeployIn:
    """A deploy to record; `at` is now if not given, `by` a person or program in words."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    service: Name
    version: Name
    environment: Text = ""
    commit: Text = ""
    url: Link = ""
    by: Text = ""
    at: Moment | None = None


@dataclass(frozen=True, slots=True)
class DeployList:
    """Deploys, the newest first."""

    items: list[Deploy]
    next: str | None = None


def routes(book: VersionBook) -> APIRouter:
    """Build the router over the book."""
    router = APIRouter(prefix="/deploys", tags=["deploys"])

    @router.get("", operation_id="listDeploys")
    async def list_deploys(
        identity: Reader,
        service: Annotated[str, Query(max_length=LONGEST, pattern=r"^[^\x00]*$")] = "",
        since: Annotated[AwareDatetime | None, Query(description="Only deploys of this time and later.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> DeployList:
        """List versions of services by when they were deployed, the newest first."""
        found = await book.deploys(identity.tenant, service=service, since=since, limit=limit)
        return DeployList(found)

    @router.post("", operation_id="recordDeploy", status_code=201)
    async def record_deploy(identity: Recorder, given: DeployIn) -> Recorded:
        """Record a deploy, before or after telemetry tells of it: the same version makes one event."""
        fields = {name: getattr(given, name) for name in Recording.__dataclass_fields__}
        return await book.record(identity, Recording(**fields))

    return router
