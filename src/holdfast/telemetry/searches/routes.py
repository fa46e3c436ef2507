"""`/searches`: saved searches, listed, read, saved, changed, deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Path, Query
from prometheus_client import CollectorRegistry
from pydantic import ConfigDict, Field

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import DeniedError
from holdfast.telemetry.questions import measured
from holdfast.telemetry.searches.permissions import SHARE
from holdfast.telemetry.searches.shelf import Search, SearchKind, SearchShelf, Wording, owner_of

Reader = Annotated[Identity, Depends(requires("searches.read"))]
Saver = Annotated[Identity, Depends(requires("searches.write"))]
Name = Annotated[str, Path(max_length=200)]
Tag = Annotated[str, Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class SearchIn:
    """A search to save; `view` is what the address of the explorer holds besides the time range, without `?`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: SearchKind
    name: Annotated[str, Field(min_length=1, max_length=200)]
    query: Annotated[str, Field(max_length=16_384)] = ""
    view: Annotated[str, Field(max_length=16_384, pattern=r"^[^\s<>\"]*$")] = ""
    folder: Annotated[str, Field(max_length=200)] = ""
    tags: Annotated[list[Tag], Field(max_length=20)] = field(default_factory=list)
    is_shared: Annotated[bool, Field(strict=True)] = False


@dataclass(frozen=True, slots=True)
class SearchOut:
    """A saved search; `is_own` says whether it is the reader's."""

    id: str
    kind: SearchKind
    name: str
    query: str
    view: str
    folder: str
    tags: list[str]
    is_shared: bool
    owner: str
    is_own: bool
    made_at: datetime
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class SearchList:
    """Saved searches by folder and name; all of them are on one page."""

    items: list[SearchOut]
    next: str | None = None


def routes(shelf: SearchShelf, metrics: CollectorRegistry | None = None) -> APIRouter:
    """Build the router over the shelf."""
    router = APIRouter(prefix="/searches", tags=["searches"], route_class=measured("searches", metrics))

    @router.get("", operation_id="listSearches")
    async def list_searches(
        identity: Reader,
        kind: SearchKind | None = None,
        q: Annotated[str, Query(max_length=200, description="A part of the name, folder or query, or a tag.")] = "",
    ) -> SearchList:
        """List the own saved searches and the shared ones."""
        wanted = q.lower()
        found = await shelf.entries(identity, kind)
        return SearchList([_show(each, identity) for each in found if _says(each.wording, wanted)])

    @router.get("/{name}", operation_id="getSearch")
    async def get_search(identity: Reader, name: Name) -> SearchOut:
        """Give a saved search."""
        return _show(await shelf.get(identity, name), identity)

    @router.post("", operation_id="addSearch", status_code=201)
    async def add_search(identity: Saver, given: SearchIn) -> SearchOut:
        """Save a search, for oneself or for everybody of the tenant."""
        return _show(await shelf.add(identity, _read(identity, given)), identity)

    @router.put("/{name}", operation_id="changeSearch")
    async def change_search(identity: Saver, name: Name, given: SearchIn) -> SearchOut:
        """Replace a saved search."""
        return _show(await shelf.change(identity, name, _read(identity, given)), identity)

    @router.delete("/{name}", operation_id="deleteSearch", status_code=204)
    async def delete_search(identity: Saver, name: Name) -> None:
        """Delete a saved search."""
        await shelf.delete(identity, name)

    return router


def _read(identity: Identity, given: SearchIn) -> Wording:
    if given.is_shared and not identity.holds(SHARE):
        raise DeniedError(f"this needs the permission {SHARE.name}", hint="keep it for yourself, or ask somebody")
    return Wording(
        given.kind, given.name, given.query, given.view, given.folder, tuple(given.tags), is_shared=given.is_shared
    )


def _says(wording: Wording, wanted: str) -> bool:
    texts = (wording.name, wording.folder, wording.query)
    return any(wanted in text.lower() for text in texts) or wanted in wording.tags


def _show(search: Search, identity: Identity) -> SearchOut:
    said = search.wording
    return SearchOut(
        search.id,
        said.kind,
        said.name,
        said.query,
        said.view,
        said.folder,
        list(said.tags),
        said.is_shared,
        search.owner,
        search.owner == owner_of(identity),
        search.made_at,
        search.updated_at,
        search.updated_by,
    )
