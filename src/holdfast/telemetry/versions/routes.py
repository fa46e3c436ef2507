"""`/deploys`: which versions run, what was deployed when, and records of who deploys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, ConfigDict, Field

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.units import Moment
from holdfast.telemetry.versions.hints import LONGEST
from holdfast.telemetry.versions.ledger import Deploy, DeployState, Ledger
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
class DeployOut:
    """A version of a service in an environment; `from_version` ran before it, `began_at` says since when it is there.

    A baseline was running already when the service was heard first.
    """

    service: str
    environment: str
    version: str
    from_version: str | None
    state: DeployState
    is_baseline: bool
    began_at: datetime
    first_seen: datetime | None
    last_seen: datetime | None
    settled_at: datetime | None
    ended_at: datetime | None
    trace_id: str
    instance: str
    commit: str
    url: str
    by: str


@dataclass(frozen=True, slots=True)
class DeployList:
    """Deploys, the newest first."""

    items: list[DeployOut]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedOut:
    """A record; `is_new` says whether it is a deploy, or a version that ran already."""

    deploy: DeployOut
    is_new: bool


def routes(ledger: Ledger) -> APIRouter:
    """Build the router over the ledger."""
    router = APIRouter(prefix="/deploys", tags=["deploys"])

    @router.get("", operation_id="listDeploys")
    async def list_deploys(
        identity: Reader,
        service: Annotated[str, Query(max_length=LONGEST, pattern=r"^[^\x00]*$")] = "",
        since: Annotated[AwareDatetime | None, Query(description="Only deploys of this time and later.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> DeployList:
        """List versions of services by when they were deployed, the newest first."""
        found = await ledger.deploys(identity.tenant, service=service, since=since, limit=limit)
        return DeployList([_out(each) for each in found])

    @router.post("", operation_id="recordDeploy", status_code=201)
    async def record_deploy(identity: Recorder, given: DeployIn) -> RecordedOut:
        """Record a deploy, before or after telemetry tells of it: the same version makes one event."""
        fields = {name: getattr(given, name) for name in Recording.__dataclass_fields__}
        recorded = await ledger.record(identity, Recording(**fields))
        return RecordedOut(_out(recorded.deploy), recorded.is_new)

    return router


def _out(deploy: Deploy) -> DeployOut:
    return DeployOut(**{name: getattr(deploy, name) for name in DeployOut.__dataclass_fields__})
