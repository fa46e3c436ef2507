"""Where everything is: the one place that turns an environment and a command line into facts.

It opens nothing and checks nothing over the network; a service gets a `Settings` and never reads the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from shop.errors import ShopError

RELEASE = "1.0.0"
DEFAULT_BASE_PORT = 7000
# Inventory speaks gRPC on its port; its health and metrics stand on a side port, this far above it.
SIDE_PORT_OFFSET = 10
# What the command line and the services must agree on without importing each other.
LIFELINE = "SHOP_LIFELINE_FD"
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 -- the name of a file, not a secret
ADMIN_TOKEN_HEADER = "X-Shop-Admin"  # noqa: S105 -- the name of a header, not a secret


class ServiceName(StrEnum):
    """The services, in the order of their ports."""

    GATEWAY = "gateway"
    CATALOG = "catalog"
    ORDERS = "orders"
    INVENTORY = "inventory"
    PAYMENTS = "payments"
    NOTIFIER = "notifier"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a service may know about its surroundings.

    Attributes:
        data: Folder of the databases, logs and shared secrets.
        host: Address that services listen on.
        base_port: Port of the gateway; the others follow.
        database_url: PostgreSQL, or None for one SQLite file per service.
        redis_url: Cache of the catalog, or None for memory.
        nats_url: Bus between orders and notifier, or None for HTTP push.
        nats_prefix: First word of the bus's subjects: two shops on one NATS differ in it.
        otlp_endpoint: Base URL of an OTLP/HTTP collector, or None to export nothing.
        peers: URLs of services that do not run on this host (`gateway`, ..., `inventory-grpc`).
        release: Version that this process says it runs.
        log_level: Lowest level that is logged.
    """

    data: Path
    host: str = "127.0.0.1"
    base_port: int = DEFAULT_BASE_PORT
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    nats_url: str | None = field(default=None, repr=False)
    nats_prefix: str = "shop"
    otlp_endpoint: str | None = None
    peers: Mapping[str, str] = field(default_factory=dict)
    release: str = RELEASE
    log_level: str = "INFO"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read `SHOP_*` and `OTEL_EXPORTER_OTLP_ENDPOINT`; an empty variable counts as unset.

        Raises:
            ShopError: A variable makes no sense.
        """
        known = {name: value for name, value in environ.items() if value}
        peers = [*ServiceName, "inventory-grpc"]
        urls = {peer: known.get(f"SHOP_{peer.replace('-', '_').upper()}_URL") for peer in peers}
        return cls(
            data=Path(known.get("SHOP_DATA", ".shop")).absolute(),
            host=known.get("SHOP_HOST", "127.0.0.1"),
            base_port=_read_port(known.get("SHOP_BASE_PORT", str(DEFAULT_BASE_PORT))),
            database_url=known.get("SHOP_DATABASE_URL"),
            redis_url=known.get("SHOP_REDIS_URL"),
            nats_url=known.get("SHOP_NATS_URL"),
            nats_prefix=known.get("SHOP_NATS_PREFIX", "shop"),
            otlp_endpoint=known.get("OTEL_EXPORTER_OTLP_ENDPOINT"),
            peers={peer: url for peer, url in urls.items() if url},
            release=known.get("SHOP_RELEASE", RELEASE),
            log_level=known.get("SHOP_LOG_LEVEL", "INFO"),
        )

    def http_port(self, service: str) -> int:
        """Port of a service's HTTP side."""
        offset = list(ServiceName).index(ServiceName(service))
        return self.base_port + offset + (SIDE_PORT_OFFSET if service == ServiceName.INVENTORY else 0)

    @property
    def grpc_port(self) -> int:
        """Port of inventory's gRPC side."""
        return self.base_port + list(ServiceName).index(ServiceName.INVENTORY)

    def url(self, service: str) -> str:
        """Base URL at which a service's HTTP side is reached."""
        return self.peers.get(service) or f"http://127.0.0.1:{self.http_port(service)}"

    @property
    def order_stream(self) -> str:
        """Name of the JetStream stream that keeps the events of orders."""
        return f"{self.nats_prefix}_orders".upper()

    @property
    def order_subjects(self) -> str:
        """What the stream keeps; an event's own subject stands in place of the star."""
        return f"{self.nats_prefix}.order.*"

    @property
    def inventory_address(self) -> str:
        """The `host:port` of inventory's gRPC side."""
        return self.peers.get("inventory-grpc") or f"127.0.0.1:{self.grpc_port}"


def _read_port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65_500:
        raise ShopError(f"SHOP_BASE_PORT is {text!r}: give a port number such as {DEFAULT_BASE_PORT}.")
    return int(text)
