"""The label `service_name`: every stream has one, taken from the labels that usually hold it, as Loki does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_NAME: Final = "service_name"
UNKNOWN_SERVICE: Final = "unknown_service"
# Source: Loki's configuration reference, `discover_service_name`.
_SOURCES: Final = (
    *("service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container", "container_name"),
    *("k8s_container_name", "component", "workload", "job", "k8s_job_name"),
)


def with_service_name(labels: Mapping[str, str], *also: str) -> dict[str, str]:
    """Give the labels with a service's name among them; `also` names those that may hold it where no usual one does."""
    if labels.get(SERVICE_NAME):
        return dict(labels)
    found = next((labels[name] for name in (*_SOURCES, *also) if labels.get(name)), UNKNOWN_SERVICE)
    return {**labels, SERVICE_NAME: found}
