"""`targets`, `targets/*`, `scrape_pools`, `scrape_pools/config`, `status/config` of Prometheus' HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.envelope import success
from holdfast.telemetry.metrics.api.parameters import Parameters
from holdfast.telemetry.metrics.api.selectors import read_selectors
from holdfast.telemetry.metrics.matching import chosen

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.scrape import TargetBoard

Reader = Annotated[Identity, Depends(requires("metrics.read"))]

_STATES: Final[dict[str, Literal["any", "active", "dropped"]]] = {"active": "active", "dropped": "dropped"}


@dataclass(frozen=True, slots=True)
class TargetRoutes:
    """The handlers, over the board of targets."""

    board: TargetBoard

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        for path, handler in (
            ("/targets", self.targets),
            ("/targets/metadata", self.metadata),
            ("/targets/relabel_steps", self.relabel_steps),
            ("/scrape_pools", self.pools),
            ("/scrape_pools/config", self.pool_config),
            ("/status/config", self.config),
        ):
            router.add_api_route(path, handler, methods=["GET"])

    async def targets(self, request: Request, identity: Reader) -> Response:
        """Give what is scraped, and what was found and left alone."""
        given = await Parameters.of(request)
        state = _STATES.get(given.text("state").lower(), "any")
        return success(self.board.seen_by(identity.tenant).targets(state, given.text("scrapePool")))

    async def metadata(self, request: Request, identity: Reader) -> Response:
        """Give what targets say of their metrics."""
        given = await Parameters.of(request)
        matchers = next(iter(read_selectors(given, "match_target")), ()) if given.text("match_target") else ()

        def matches(labels: Labels) -> bool:
            return bool(chosen([labels], matchers))

        limit = given.number("limit", -1)
        return success(self.board.seen_by(identity.tenant).metadata(matches, given.text("metric"), limit))

    async def relabel_steps(self, request: Request, identity: Reader) -> Response:
        """Give what each rule makes of the labels of a target."""
        given = await Parameters.of(request)
        try:
            labels = orjson.loads(given.text("labels") or "{}")
        except orjson.JSONDecodeError as error:
            raise InvalidError(f"labels are no JSON: {error}") from None
        if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
            raise InvalidError("labels are no JSON object of strings")
        steps = self.board.seen_by(identity.tenant).relabel_steps(given.text("scrapePool"), labels)
        return success({"steps": steps})

    async def pools(self, identity: Reader) -> Response:
        """Give the names of the jobs."""
        return success({"scrapePools": self.board.seen_by(identity.tenant).pools()})

    async def pool_config(self, request: Request, identity: Reader) -> Response:
        """Give a job's section as it is in force, secrets masked."""
        given = await Parameters.of(request)
        return success({"yaml": self.board.seen_by(identity.tenant).pool_configuration(given.text("scrapePool"))})

    async def config(self, identity: Reader) -> Response:
        """Give the scrape configuration in force, secrets masked."""
        return success({"yaml": self.board.seen_by(identity.tenant).configuration})
