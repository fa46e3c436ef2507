"""All objects of one kind as they are in the cluster: listed once, then watched; listed again when that breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson

from holdfast import journal
from holdfast.kernel.errors import HoldfastError, UnavailableError
from holdfast.resilience import Backoff, Pauses

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.calling import Caller
    from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics

Object = dict[str, Any]

PATHS: Final = {
    "node": "/api/v1/nodes",
    "namespace": "/api/v1/namespaces",
    "pod": "/api/v1/{}pods",
    "service": "/api/v1/{}services",
    "endpoints": "/api/v1/{}endpoints",
    "endpointslice": "/apis/discovery.k8s.io/v1/{}endpointslices",
    "ingress": "/apis/networking.k8s.io/v1/{}ingresses",
}
AGAIN: Final = Backoff(base_s=1.0, cap_s=60.0, jitter="equal")
_PAGE: Final = 500
_LIST_S: Final = 60.0
_SHORT_S: Final = 1.0  # a watch that ended sooner was cut off by somebody on the way, who may do so for long
_WATCH_S: Final = 300  # after which the server ends a watch, and we begin the next
_LINE_BYTES: Final = 16 * 1024 * 1024

_log = journal.get_logger()


@dataclass(slots=True)
class Watch:
    """One kind in one namespace (or in all, if it is empty)."""

    url: str
    kind: str
    selectors: dict[str, str]
    caller: Caller
    clock: Clock
    metrics: ScrapeMetrics
    changed: Callable[[], None]
    objects: dict[str, Object] = field(default_factory=dict)
    is_listed: bool = False

    async def run(self) -> None:
        """Follow the cluster for ever."""
        pauses = Pauses(AGAIN)
        while True:
            try:
                version = await self.list()
                while True:
                    version = await self._follow_for_long(version, pauses)
            except HoldfastError as error:
                self.metrics.refreshes.labels("kubernetes").inc()
                _log.warning("scrape.discovery_failed", url=self.url, error=str(error))
                await self.clock.sleep(pauses.next_s())

    async def _follow_for_long(self, version: str, pauses: Pauses) -> str:
        """Watch; one that lasted makes the pauses short again, however it ends; after one that did not there is one."""
        began_s = self.clock.monotonic()
        try:
            version = await self.follow(version)
        finally:
            if is_long := self.clock.monotonic() - began_s >= _SHORT_S:
                pauses.reset()
        if not is_long:
            await self.clock.sleep(pauses.next_s())
        return version

    async def list(self) -> str:
        """Read all objects; give the version from which to watch."""
        found: dict[str, Object] = {}
        query = {**self.selectors, "limit": str(_PAGE)}
        while True:
            answer = await self.caller.get(f"{self.url}?{urlencode(query)}", {}, timeout_s=_LIST_S)
            if answer.status != 200:
                raise UnavailableError(f"{answer.url} answered with status {answer.status}")
            page = answer.json()
            found |= {_key(one): _without_history(one) for one in page.get("items") or ()}
            about = page.get("metadata") or {}
            if not about.get("continue"):
                break
            query["continue"] = about["continue"]
        self.objects, self.is_listed = found, True
        self.changed()
        return str(about.get("resourceVersion", ""))

    async def follow(self, version: str) -> str:
        """Watch from `version` until the server ends it; give the version from which to go on.

        Raises:
            UnavailableError: the version is too old, or the server tells of an error or of no event: list again.
        """
        query = {
            **self.selectors,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCH_S),
        }
        url = f"{self.url}?{urlencode(query)}"
        async for line in self.caller.lines(url, silence_s=_WATCH_S + 30.0, max_bytes=_LINE_BYTES):
            if line.strip():
                version = self._take(self._event(line)) or version
        return version

    def _event(self, line: bytes) -> Object:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
            raise UnavailableError(f"{self.url}: the watch gave something that is no event")
        return event

    def _take(self, event: Object) -> str:
        kind, one = event.get("type"), event["object"]
        if kind == "ERROR":
            raise UnavailableError(f"{self.url}: the watch ended: {one.get('message', 'no reason given')}")
        if kind in {"ADDED", "MODIFIED"}:
            self.objects[_key(one)] = _without_history(one)
        elif kind == "DELETED":
            self.objects.pop(_key(one), None)
        if kind != "BOOKMARK":
            self.changed()
        return str((one.get("metadata") or {}).get("resourceVersion", ""))


def _key(one: Object) -> str:
    about = one["metadata"]
    return f"{about.get('namespace', '')}/{about['name']}"


def _without_history(one: Object) -> Object:
    """Leave out who wrote which field when, which is often half of an object."""
    one["metadata"].pop("managedFields", None)
    return one
