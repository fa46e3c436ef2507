"""The table of check kinds: the word in a check file, its spec, and how a probe is made of it.

Plugins of the entry point group `holdfast.probes` are loaded by whoever starts the engine and merged in by
`merge_kinds`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from holdfast.health.probes import http
from holdfast.health.probes.basic import dns, grpc, icmp, script, ssh, tcp, tls
from holdfast.health.probes.products import (
    elasticsearch,
    grafana,
    kafka,
    kibana,
    kubernetes,
    mysql,
    nats,
    postgres,
    prometheus,
    rabbitmq,
    redis,
)
from holdfast.kernel.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.health.probes.contract import ProbeKind

ENTRY_POINT_GROUP: Final = "holdfast.probes"


def merge_kinds(*groups: Iterable[ProbeKind]) -> Mapping[str, ProbeKind]:
    """Give one table of all kinds, sorted by name.

    Raises:
        ConflictError: two kinds share a name; a plugin may not replace a kind that others rely on.
    """
    table: dict[str, ProbeKind] = {}
    for kind in (kind for group in groups for kind in group):
        if kind.name in table:
            raise ConflictError(
                f"two probe kinds are named {kind.name!r}",
                hint=f"rename or uninstall the plugin in the entry point group {ENTRY_POINT_GROUP!r}",
            )
        table[kind.name] = kind
    return MappingProxyType(dict(sorted(table.items())))


KINDS: Final[Mapping[str, ProbeKind]] = merge_kinds(
    (http.KIND,),
    (kind.KIND for kind in (dns, grpc, icmp, script, ssh, tcp, tls)),
    (
        kind.KIND
        for kind in (
            elasticsearch,
            grafana,
            kafka,
            kibana,
            kubernetes,
            mysql,
            nats,
            postgres,
            prometheus,
            rabbitmq,
            redis,
        )
    ),
)
