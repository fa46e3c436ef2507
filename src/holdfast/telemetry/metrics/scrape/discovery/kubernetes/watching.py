"""All objects of one kind as they are in the cluster: listed once, then watched.

A watch that is cut off goes on where it was; only what cannot go on is listed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson

from holdfast.kernel.errors import HoldfastError, UnavailableError
from holdfast.kernel.http import PeerStatusError
from holdfast.resilience import Backoff, Pauses, parse_retry_after

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.calling import Caller
    from holdfast.telemetry.metrics.scrape.discovery.failures import Failures

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
_MANY_REQUESTS: Final = 429
_LONGEST_ASKED_S: Final = 300.0  # that a server may ask us to wait


class WatchEndedError(UnavailableError):
    """A watch told of an error, or of something that is no event: nobody knows what it has left out."""


@dataclass(slots=True)
class Watch:
    """One kind in one namespace (or in all, if it is empty)."""

    url: str
    kind: str
    selectors: dict[str, str]
    caller: Caller
    clock: Clock
    failures: Failures
    changed: Callable[[], None]
    objects: dict[str, Object] = field(default_factory=dict)
    is_listed: bool = False
    version: str = ""  # from which to watch; empty where all has to be listed

    async def run(self) -> None:
        """Follow the cluster for ever."""
        pauses = Pauses(AGAIN)
        while True:
            try:
                if not self.version:
                    await self.list()
                await self._follow_for_long(pauses)
            except HoldfastError as error:
                self.failures.note("kubernetes", self.url, error)
                if self.version:  # what is known is all there is, and the watch goes on with it
                    self.failures.clear("kubernetes", self.url)
                await self.clock.sleep(max(pauses.next_s(), self._asked_s(error)))

    async def _follow_for_long(self, pauses: Pauses) -> None:
        """Watch; one that lasted makes the pauses short again, however it ends; after one that did not there is one."""
        began_s, is_long = self.clock.monotonic(), False
        try:
            await self.follow()
        except HoldfastError as error:
            is_long = self.clock.monotonic() - began_s >= _SHORT_S
            if not _can_go_on(error, is_long=is_long):
                self.version = ""
            raise
        else:
            is_long = self.clock.monotonic() - began_s >= _SHORT_S
        finally:
            if is_long:
                pauses.reset()
        if not is_long:
            await self.clock.sleep(pauses.next_s())

    def _asked_s(self, error: HoldfastError) -> float:
        """Give how long the server asks us to stay away."""
        asked = error.retry_after if isinstance(error, PeerStatusError) else None
        return min(parse_retry_after(asked, self.clock.now) or 0.0, _LONGEST_ASKED_S)

    async def list(self) -> None:
        """Read all objects, and from which version to watch."""
        found: dict[str, Object] = {}
        query = {**self.selectors, "limit": str(_PAGE)}
        while True:
            answer = await self.caller.get(f"{self.url}?{urlencode(query)}", {}, timeout_s=_LIST_S)
            if answer.status != 200:
                raise PeerStatusError(
                    f"{answer.url} answered with status {answer.status}",
                    status=answer.status,
                    retry_after=answer.headers.get("retry-after"),
                )
            page = answer.json()
            found |= {_key(one): _without_history(one) for one in page.get("items") or ()}
            about = page.get("metadata") or {}
            if not about.get("continue"):
                break
            query["continue"] = about["continue"]
        self.objects, self.is_listed, self.version = found, True, str(about.get("resourceVersion", ""))
        self.failures.clear("kubernetes", self.url)
        self.changed()

    async def follow(self) -> None:
        """Watch from the version that is known until the server ends it.

        Raises:
            WatchEndedError: the server tells of an error, or of no event.
            UnavailableError: as `OutboundHttp.lines`.
        """
        query = {
            **self.selectors,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version,
            "timeoutSeconds": str(_WATCH_S),
        }
        url = f"{self.url}?{urlencode(query)}"
        async for line in self.caller.lines(url, silence_s=_WATCH_S + 30.0, max_bytes=_LINE_BYTES):
            if line.strip():
                self._take(self._event(line))

    def _event(self, line: bytes) -> Object:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
            raise WatchEndedError(f"{self.url}: the watch gave something that is no event")
        return event

    def _take(self, event: Object) -> None:
        kind, one = event.get("type"), event["object"]
        if kind == "ERROR":
            raise WatchEndedError(f"{self.url}: the watch ended: {one.get('message', 'no reason given')}")
        if kind in {"ADDED", "MODIFIED"}:
            self.objects[_key(one)] = _without_history(one)
        elif kind == "DELETED":
            self.objects.pop(_key(one), None)
        if kind != "BOOKMARK":
            self.changed()
        self.version = str((one.get("metadata") or {}).get("resourceVersion", "")) or self.version


def _can_go_on(error: HoldfastError, *, is_long: bool) -> bool:
    """Tell whether a watch can go on where it was: it was cut off after a while, or the server has too much to do."""
    if isinstance(error, PeerStatusError):
        return error.status == _MANY_REQUESTS
    return is_long and not isinstance(error, WatchEndedError)


def _key(one: Object) -> str:
    about = one["metadata"]
    return f"{about.get('namespace', '')}/{about['name']}"


def _without_history(one: Object) -> Object:
    """Leave out who wrote which field when, which is often half of an object."""
    one["metadata"].pop("managedFields", None)
    return one
