"""What the engine is lent by the process: places for step code, room for large values, the eye for secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from holdfast.kernel.blobs import Blobs
from holdfast.kernel.runs.masking import Mask
from holdfast.kernel.runs.places import KubernetesPlace, Places
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.secrets import Redactor


def _mask_known_shapes() -> Mask:
    return Redactor().mask


@dataclass(slots=True)
class Facilities:
    """Lent by the app; the defaults suit a test or a script.

    Attributes:
        places: where step code runs.
        mask: hides secrets in lines of output and in plans.
        blobs: for inputs and results that are too large for a row; None keeps them there all the same.
    """

    places: Places = field(default_factory=Places)
    mask: Mask = field(default_factory=_mask_known_shapes)
    blobs: Blobs | None = None


def open_facilities(
    settings: RunsSettings, redactor: Redactor, registry: CollectorRegistry, blobs: Blobs
) -> Facilities:
    """Give what a server lends its engine; nothing is connected to before a step asks for it."""
    cluster = KubernetesPlace(
        settings.kubernetes_url,
        token=settings.kubernetes_token,
        ca_file=settings.kubernetes_ca,
        namespace=settings.kubernetes_namespace,
    )
    places = Places(
        threads=settings.threads,
        processes=settings.processes,
        container_socket=settings.container_socket,
        kubernetes=cluster,
        registry=registry,
    )
    return Facilities(places, redactor.mask, blobs)
