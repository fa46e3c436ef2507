"""`/investigations`: begun, read, filled cell by cell, exported as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from pydantic import ConfigDict, Field

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import DeniedError
from holdfast.telemetry.investigations.cells import Cell, CellKind, Content, Evidence, check_content
from holdfast.telemetry.investigations.evidence import Witness
from holdfast.telemetry.investigations.exporting import write_markdown
from holdfast.telemetry.investigations.notebook import Filled, Investigation, Notebook
from holdfast.telemetry.logs.permissions import READ as LOGS_READ
from holdfast.telemetry.metrics.permissions import READ as METRICS_READ
from holdfast.telemetry.questions import measured
from holdfast.telemetry.traces.permissions import READ as TRACES_READ

Reader = Annotated[Identity, Depends(requires("investigations.read"))]
WriterOf = Annotated[Identity, Depends(requires("investigations.write"))]
Name = Annotated[str, Path(max_length=200)]
CellName = Annotated[str, Path(max_length=200)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
_SIGHTS: Final = {CellKind.METRICS: METRICS_READ, CellKind.LOGS: LOGS_READ, CellKind.TRACE: TRACES_READ}
Other = Annotated[str | None, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class InvestigationIn:
    """An investigation to begin, or its new title."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    title: Title


@dataclass(frozen=True, slots=True)
class InvestigationList:
    """Investigations, the one changed last first; all of them are on one page."""

    items: list[Investigation]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class InvestigationDetail:
    """An investigation with its cells in their order."""

    investigation: Investigation
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class CellIn:
    """A cell to add at the end, or behind the cell `after`; what it shows now is kept with it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: CellKind
    content: Content
    after: Other = None
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class CellChange:
    """What a cell holds from now on; `version` is the one that was read before.

    `is_seen_anew` keeps what it shows now instead of what was kept. A cell that asks something else always does.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    content: Content
    version: Annotated[int, Field(ge=1, le=2**31 - 2)]
    is_seen_anew: bool = False


@dataclass(frozen=True, slots=True)
class CellMove:
    """Where a cell goes: behind `after`, to the beginning for null."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    after: Other = None


def routes(notebook: Notebook, witness: Witness, metrics: CollectorRegistry | None = None) -> APIRouter:
    """Build the router."""
    router = APIRouter(
        prefix="/investigations", tags=["investigations"], route_class=measured("investigations", metrics)
    )
    _reading(router, notebook)
    _writing(router, notebook)
    _filling(router, notebook, witness)
    return router


def _reading(router: APIRouter, notebook: Notebook) -> None:
    @router.get("", operation_id="listInvestigations")
    async def list_investigations(
        identity: Reader, q: Annotated[str, Query(max_length=200, description="A part of the title.")] = ""
    ) -> InvestigationList:
        """List investigations."""
        found = await notebook.entries(identity.tenant)
        return InvestigationList([each for each in found if q.lower() in each.title.lower()])

    @router.get("/{name}", operation_id="getInvestigation")
    async def get_investigation(identity: Reader, name: Name) -> InvestigationDetail:
        """Give an investigation with its cells."""
        return InvestigationDetail(*await notebook.get(identity.tenant, name))

    @router.get(
        "/{name}/export",
        operation_id="exportInvestigation",
        response_class=PlainTextResponse,
        responses={200: {"content": {"text/markdown": {}}, "description": "Markdown."}},
    )
    async def export_investigation(identity: Reader, name: Name) -> PlainTextResponse:
        """Give an investigation as Markdown, with what was seen."""
        text = write_markdown(*await notebook.get(identity.tenant, name))
        return PlainTextResponse(text, media_type="text/markdown; charset=utf-8")


def _writing(router: APIRouter, notebook: Notebook) -> None:
    @router.post("", operation_id="openInvestigation", status_code=201)
    async def open_investigation(identity: WriterOf, given: InvestigationIn) -> Investigation:
        """Begin an investigation."""
        return await notebook.open(identity, given.title)

    @router.put("/{name}", operation_id="renameInvestigation")
    async def rename_investigation(identity: WriterOf, name: Name, given: InvestigationIn) -> Investigation:
        """Give an investigation another title."""
        return await notebook.rename(identity, name, given.title)

    @router.delete("/{name}", operation_id="deleteInvestigation", status_code=204)
    async def delete_investigation(identity: WriterOf, name: Name) -> None:
        """Delete an investigation with its cells."""
        await notebook.delete(identity, name)


def _filling(router: APIRouter, notebook: Notebook, witness: Witness) -> None:
    @router.post("/{name}/cells", operation_id="addCell", status_code=201)
    async def add_cell(identity: WriterOf, name: Name, given: CellIn) -> Cell:
        """Add a cell; what its query shows now is kept with it."""
        check_content(given.kind, given.content)
        _demand_sight(identity, given.kind)
        await notebook.get(identity.tenant, name)
        evidence = await witness.take(identity.tenant, given.kind, given.content)
        filled = Filled(given.kind, given.content, evidence)
        return await notebook.add_cell(identity, name, filled, after=given.after, is_first=given.is_first)

    @router.put("/{name}/cells/{cell}", operation_id="changeCell")
    async def change_cell(identity: WriterOf, name: Name, cell: CellName, given: CellChange) -> Cell:
        """Change a cell, if nobody else has since."""
        before = await notebook.get_cell(identity.tenant, name, cell)
        check_content(before.kind, given.content)
        evidence: Evidence = before.evidence
        is_other = given.is_seen_anew or _asks(before.content) != _asks(given.content)
        if is_other and before.version == given.version:
            _demand_sight(identity, before.kind)
            evidence = await witness.take(identity.tenant, before.kind, given.content)
        filled = Filled(before.kind, given.content, evidence)
        return await notebook.change_cell(identity, name, cell, filled, version=given.version)

    @router.post("/{name}/cells/{cell}/move", operation_id="moveCell", status_code=204)
    async def move_cell(identity: WriterOf, name: Name, cell: CellName, given: CellMove) -> None:
        """Put a cell elsewhere."""
        await notebook.move_cell(identity, name, cell, after=given.after)

    @router.delete("/{name}/cells/{cell}", operation_id="removeCell", status_code=204)
    async def remove_cell(identity: WriterOf, name: Name, cell: CellName) -> None:
        """Remove a cell."""
        await notebook.remove_cell(identity, name, cell)


def _demand_sight(identity: Identity, kind: CellKind) -> None:
    """Raise DeniedError for who may not see the signals that would be kept."""
    needed = _SIGHTS.get(kind)
    if needed is not None and not identity.holds(needed):
        raise DeniedError(f"this needs the permission {needed.name}")


def _asks(content: Content) -> tuple[object, ...]:
    times: tuple[datetime | None, ...] = (content.start, content.end)
    return (tuple(content.queries), times, content.trace_id.lower())
