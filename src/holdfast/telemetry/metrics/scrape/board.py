"""The state of all targets as Prometheus' HTTP API gives it: active, dropped, metadata, pools, relabelling steps.

Plain documents in the API's shape, so that a route has only to wrap them. Targets and the file that names them are the
business of one tenant; others see none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.units import format_duration
from holdfast.telemetry.metrics.scrape.config import ScrapeConfiguration, show
from holdfast.telemetry.metrics.scrape.targets import discovered_labels

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.scrape.loop import TargetLoop
    from holdfast.telemetry.metrics.scrape.pool import JobPool
    from holdfast.telemetry.metrics.scrape.relabelling import RelabelRule

State = Literal["active", "dropped", "any"]


class TargetBoard:
    """Reads what the pools of this process are doing."""

    def __init__(
        self,
        pools: Callable[[], Mapping[str, JobPool]],
        configuration: Callable[[], ScrapeConfiguration] = ScrapeConfiguration,
        tenant: TenantId = DEFAULT_TENANT,
    ) -> None:
        self._pools = pools
        self._configuration = configuration
        self._tenant = tenant

    def seen_by(self, tenant: TenantId) -> TargetBoard:
        """Give the board as it is for `tenant`: empty, if the targets are another's."""
        return self if tenant == self._tenant else TargetBoard(dict, tenant=tenant)

    @property
    def external_labels(self) -> Mapping[str, str]:
        """Give `global.external_labels` as they are in force: what others see of this Prometheus."""
        return self._configuration().external_labels

    @property
    def configuration(self) -> str:
        """Give `prometheus.yml` as it is in force, secrets hidden; empty if there is none."""
        return self._configuration().shown

    @property
    def evaluation_interval_s(self) -> float:
        """Give `global.evaluation_interval` as it is in force, which is also the step of subqueries without one."""
        return self._configuration().evaluation_interval_s

    def pools(self) -> list[str]:
        """Give the names of the jobs, also of those that nothing tells of targets."""
        return sorted(self._configuration().sections)

    def targets(self, state: State = "any", pool: str = "") -> dict[str, Any]:
        """Give `TargetDiscovery` of the API: one job's targets, or all."""
        chosen = [found for name, found in sorted(self._pools().items()) if pool in {"", name}]
        active = [_active(loop) for found in chosen for loop in found.loops.values()] if state != "dropped" else []
        dropped = [
            {"discoveredLabels": dict(labels), "scrapePool": found.job.name}
            for found in chosen
            for labels in found.dropped
        ]
        return {
            "activeTargets": sorted(active, key=lambda one: (one["scrapePool"], one["scrapeUrl"])),
            "droppedTargets": dropped if state != "active" else [],
            "droppedTargetCounts": {found.job.name: found.dropped_count for found in chosen},
        }

    def failures(self, pool: str = "") -> list[dict[str, Any]]:
        """Give the sources of targets that fail just now: one job's, or all."""
        return [
            {
                "scrapePool": name,
                "kind": each.kind,
                "source": each.source,
                "error": each.error,
                "since": each.since.isoformat().replace("+00:00", "Z"),
            }
            for name, found in sorted(self._pools().items())
            for each in found.failures
            if pool in {"", name}
        ]

    def metadata(
        self, matches: Callable[[Labels], bool] = lambda _: True, metric: str = "", limit: int = -1
    ) -> list[dict[str, Any]]:
        """Give what matching targets say about their metrics; `limit` counts targets, below 0 for all."""
        loops = [loop for pool in self._pools().values() for loop in pool.loops.values()]
        matching = [loop for loop in loops if matches(loop.target.labels)]
        found: list[dict[str, Any]] = []
        for loop in matching[:limit] if limit >= 0 else matching:
            for about in loop.state.metadata:
                if metric and about.family != metric:
                    continue
                said = {"type": about.type, "help": about.help, "unit": about.unit}
                name = {} if metric else {"metric": about.family}
                found.append({"target": dict(loop.target.labels), **name, **said})
        return found

    def relabel_steps(self, pool: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Give what each rule of a job makes of `labels`.

        Raises:
            NotFoundError: there is no such job.
        """
        found = self._pools().get(pool)
        if found is None:
            raise NotFoundError(f"there is no scrape pool {pool!r}")
        steps = found.relabelling.stepwise(discovered_labels(found.job, labels))
        return [{"rule": _rule(rule), "output": after or {}, "keep": after is not None} for rule, after in steps]

    def pool_configuration(self, pool: str) -> str:
        """Give a job's section as it is in force, secrets hidden.

        Raises:
            NotFoundError: there is no such job.
        """
        section = self._configuration().sections.get(pool)
        if section is None:
            raise NotFoundError(f"there is no scrape pool {pool!r}")
        return show(section)


def _active(loop: TargetLoop) -> dict[str, Any]:
    target, state = loop.target, loop.state
    return {
        "discoveredLabels": dict(target.discovered),
        "labels": dict(target.labels),
        "scrapePool": target.job,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": state.last_error,
        "lastScrape": state.last_scrape.isoformat().replace("+00:00", "Z"),
        "lastScrapeDuration": state.last_duration_s,
        "health": state.health,
        "scrapeInterval": format_duration(target.interval_s),
        "scrapeTimeout": format_duration(target.timeout_s),
    }


def _rule(rule: RelabelRule) -> dict[str, Any]:
    told: dict[str, Any] = {
        "source_labels": list(rule.source_labels),
        "separator": rule.separator,
        "regex": rule.regex,
        "modulus": rule.modulus,
        "target_label": rule.target_label,
        "replacement": rule.replacement,
        "action": str(rule.action),
    }
    return {name: value for name, value in told.items() if value}
