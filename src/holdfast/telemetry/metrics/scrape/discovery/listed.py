"""Targets that an HTTP server lists as JSON. Source: Prometheus 3, discovery/http."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel import decoding
from holdfast.kernel.errors import HoldfastError, UnavailableError
from holdfast.telemetry.metrics.scrape.config import HttpDiscovery, TargetGroup
from holdfast.telemetry.metrics.scrape.discovery.contract import Tell
from holdfast.telemetry.metrics.scrape.discovery.groups import found_in

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.scrape.calling import Caller
    from holdfast.telemetry.metrics.scrape.discovery.failures import Failures

MAX_LIST_BYTES: Final = 50 * 1024 * 1024


class ListedTargets:
    """Asks one URL again and again."""

    def __init__(self, section: HttpDiscovery, caller: Caller, clock: Clock, failures: Failures) -> None:
        self._section = section
        self._caller = caller
        self._clock = clock
        self._failures = failures
        self._count = 0

    async def run(self, tell: Tell) -> None:
        """Ask for ever."""
        while True:
            try:
                await self.ask(tell)
            except HoldfastError as error:
                self._failures.note("http", self._section.url, error)
            else:
                self._failures.clear("http", self._section.url)
            await self._clock.sleep(self._section.refresh_interval)

    async def ask(self, tell: Tell) -> None:
        """Ask once.

        Raises:
            UnavailableError, ConfigError: the server does not answer, or not with a list of target groups.
        """
        headers = {
            "accept": "application/json",
            "x-prometheus-refresh-interval-seconds": f"{self._section.refresh_interval:g}",
        }
        limit_s = self._section.refresh_interval  # a slow answer is one, too, until the next is asked for
        answer = await self._caller.get(self._section.url, headers, timeout_s=limit_s, max_bytes=MAX_LIST_BYTES)
        if answer.status != 200:
            raise UnavailableError(f"{answer.url} answered with status {answer.status}")
        if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UnavailableError(f"{answer.url} answered with something that is not application/json")
        said = answer.json()
        listed = [] if said is None else _lowered(_texts(said))  # an empty list, as servers in Go may write it
        groups = decoding.decode(tuple[TargetGroup, ...], listed, file=answer.url)
        for index, group in enumerate(groups):
            tell(f"{self._section.url}:{index}", found_in(group, {"__meta_url": self._section.url}))
        for index in range(len(groups), max(self._count, 1)):  # that there are none is news, too
            tell(f"{self._section.url}:{index}", ())
        self._count = len(groups)


def _lowered(said: Any) -> Any:
    """Take `Targets` for `targets`, as Go does, whose servers write their own names where they name no others."""
    if not isinstance(said, list):
        return said
    return [{name.lower(): value for name, value in one.items()} if isinstance(one, dict) else one for one in said]


def _texts(part: Any) -> Any:
    """Leave out what is null, as Go does."""
    if isinstance(part, dict):
        return {name: _texts(value) for name, value in part.items() if value is not None}
    return [_texts(item) for item in part] if isinstance(part, list) else part
