"""Where a version stands: in attributes of a resource, in labels of `target_info`, in a `..._build_info`.

Source: OpenTelemetry's semantic conventions of `service` and `deployment`, and their names as labels of Prometheus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kernel.ids import TenantId

RESOURCE: Final = "resource"
TARGET_INFO: Final = "target_info"
BUILD_INFO: Final = "_build_info"
LONGEST: Final = 200  # letters of a version, a service or an environment; what is longer is no name
_VERSION: Final = ("service.version", "service_version")
_SERVICE: Final = ("service.name", "service_name")
_ENVIRONMENT: Final = (
    *("deployment.environment.name", "deployment_environment_name"),
    *("deployment.environment", "deployment_environment"),
)
_INSTANCE: Final = (
    *("service.instance.id", "service_instance_id", "k8s.pod.name", "k8s_pod_name", "host.name", "host_name"),
    *("instance",),
)
_BUILD_VERSION: Final = ("version", "release")
_NAMING: Final = ("service_name", "service", "job", "app")


class Telling(NamedTuple):
    """A service tells its version; `origin` is `resource` or the name of the metric that says so."""

    tenant: TenantId
    service: str
    environment: str
    version: str
    origin: str


class Hint(NamedTuple):
    """What labels say, and of which instance."""

    telling: Telling
    instance: str


def of_resource(tenant: TenantId, labels: Mapping[str, str]) -> Hint | None:
    """Give what a resource says, with names as OpenTelemetry or as Prometheus writes them."""
    return _hint(tenant, labels, _first(labels, _SERVICE), _first(labels, _VERSION), RESOURCE)


def of_series(tenant: TenantId, name: str, labels: Mapping[str, str]) -> Hint | None:
    """Give what the labels of an info metric say."""
    service = _first(labels, _NAMING).rpartition("/")[2]
    if name == TARGET_INFO:
        return _hint(tenant, labels, service, _first(labels, _VERSION), RESOURCE)
    return _hint(tenant, labels, service, _first(labels, _BUILD_VERSION), name)


def _hint(tenant: TenantId, labels: Mapping[str, str], service: str, version: str, origin: str) -> Hint | None:
    environment = _first(labels, _ENVIRONMENT)
    names = (service, environment, version)
    if not service or not version or any(len(name) > LONGEST or "\0" in name for name in names):
        return None
    instance = _first(labels, _INSTANCE)[:LONGEST].replace("\0", "")  # PostgreSQL takes no such letter
    return Hint(Telling(tenant, service, environment, version, origin), instance)


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
