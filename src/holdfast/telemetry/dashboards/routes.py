"""`/dashboards`: listed, read, saved with the version they were made from, imported from Grafana."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ConfigDict, Field

from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.dashboards.checking import read_document
from holdfast.telemetry.dashboards.document import Document
from holdfast.telemetry.dashboards.grafana import import_grafana
from holdfast.telemetry.dashboards.shelf import Entry, Shelf

Reader = Annotated[Identity, Depends(requires("dashboards.read"))]
WriterOf = Annotated[Identity, Depends(requires("dashboards.write"))]
Name = Annotated[str, Path(max_length=200)]
Message = Annotated[str, Field(max_length=500)]


@dataclass(frozen=True, slots=True)
class DashboardOut:
    """A dashboard in a list; `source` is `file` for one of the ops folder, which is changed there."""

    id: str
    title: str
    folder: str
    tags: list[str]
    source: Literal["file", "console"]
    updated_at: datetime
    updated_by: str
    version: int


@dataclass(frozen=True, slots=True)
class DashboardList:
    """Dashboards by folder and title; all of them are on one page."""

    items: list[DashboardOut]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class DashboardDetail:
    """A dashboard with what it shows."""

    dashboard: DashboardOut
    document: Document


@dataclass(frozen=True, slots=True)
class DashboardIn:
    """A dashboard to make; `document` as the guide describes it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    document: dict[str, Any]
    message: Message = ""


@dataclass(frozen=True, slots=True)
class DashboardChange:
    """A dashboard to replace; `version` is the one that was read before it was changed."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    document: dict[str, Any]
    version: Annotated[int, Field(ge=1)]
    message: Message = ""


@dataclass(frozen=True, slots=True)
class VersionOut:
    """One state that a dashboard was in."""

    version: int
    message: str
    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True)
class VersionList:
    """Versions, the newest first."""

    items: list[VersionOut]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class UnmappedOut:
    """Something of Grafana's that has no counterpart here, and where it stands in its JSON."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class ImportOut:
    """What a dashboard of Grafana becomes here; nothing is saved yet unless `dashboard` is there."""

    document: Document
    problems: list[UnmappedOut] = field(default_factory=list)
    dashboard: DashboardOut | None = None


def routes(shelf: Shelf) -> APIRouter:
    """Build the router over the shelf."""
    router = APIRouter(tags=["dashboards"])
    _reading(router, shelf)
    _writing(router, shelf)
    return router


def _reading(router: APIRouter, shelf: Shelf) -> None:
    @router.get("/dashboards", operation_id="listDashboards")
    async def list_dashboards(
        identity: Reader, q: Annotated[str, Query(max_length=200, description="A part of the title, or a tag.")] = ""
    ) -> DashboardList:
        """List dashboards, of people and of files."""
        wanted = q.lower()
        entries = await shelf.entries(identity.tenant)
        return DashboardList(
            [_show(entry) for entry in entries if wanted in entry.title.lower() or wanted in entry.tags]
        )

    @router.get("/dashboards/{name}", operation_id="getDashboard")
    async def get_dashboard(identity: Reader, name: Name) -> DashboardDetail:
        """Give a dashboard."""
        entry, document = await shelf.get(identity.tenant, name)
        return DashboardDetail(_show(entry), document)

    @router.get("/dashboards/{name}/versions", operation_id="listDashboardVersions")
    async def list_versions(identity: Reader, name: Name) -> VersionList:
        """List what a dashboard was."""
        await shelf.get(identity.tenant, name)
        versions = await shelf.versions(identity.tenant, name)
        return VersionList([VersionOut(each.version, each.message, each.made_at, each.made_by) for each in versions])

    @router.get("/dashboards/{name}/versions/{version}", operation_id="getDashboardVersion")
    async def get_version(identity: Reader, name: Name, version: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Document:
        """Give a dashboard as it was."""
        return await shelf.get_version(identity.tenant, name, version)


def _writing(router: APIRouter, shelf: Shelf) -> None:
    @router.post("/dashboards", operation_id="addDashboard", status_code=201)
    async def add_dashboard(identity: WriterOf, given: DashboardIn) -> DashboardOut:
        """Make a dashboard."""
        return _show(await shelf.add(identity, read_document(given.document), given.message))

    @router.post("/dashboards/import", operation_id="importDashboard")
    async def import_dashboard(
        identity: WriterOf,
        given: dict[str, Any],
        *,
        save: Annotated[bool, Query(description="Keep it, instead of only showing what it becomes.")] = False,
    ) -> ImportOut:
        """Map a dashboard of Grafana, and say what has no counterpart."""
        mapped = import_grafana(given)
        entry = await shelf.add(identity, mapped.document, "imported from Grafana") if save else None
        problems = [UnmappedOut(each.path, each.what) for each in mapped.problems]
        return ImportOut(mapped.document, problems, _show(entry) if entry else None)

    @router.put("/dashboards/{name}", operation_id="changeDashboard")
    async def change_dashboard(identity: WriterOf, name: Name, given: DashboardChange) -> DashboardOut:
        """Replace a dashboard."""
        document = read_document(given.document)
        return _show(await shelf.change(identity, name, document, given.message, version=given.version))

    @router.delete("/dashboards/{name}", operation_id="deleteDashboard", status_code=204)
    async def delete_dashboard(identity: WriterOf, name: Name) -> None:
        """Delete a dashboard; its versions are kept."""
        await shelf.delete(identity, name)


def _show(entry: Entry) -> DashboardOut:
    return DashboardOut(
        entry.id,
        entry.title,
        entry.folder,
        list(entry.tags),
        entry.source,
        entry.updated_at,
        entry.updated_by,
        entry.version,
    )
