"""Opens the driver's clients: on a folder (chDB) or on a server, the two differ nowhere else.

A client is blocking and runs one query at a time; `pool` keeps several in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect import common
from clickhouse_connect.driver.exceptions import Error

from holdfast.kernel.errors import InvalidError, Place
from holdfast.store import faults
from holdfast.store.columns import check_name
from holdfast.store.settings import StoreSettings

DEFAULT_DATABASE: Final = "holdfast"
CONNECT_TIMEOUT_S: Final = 5
_MIB: Final = 1024 * 1024

_URL_HINT: Final = "write chdb:///folder or clickhouse://user:password@host:8123/database, special characters as %40"

# Query settings that every client starts with.
_SESSION: Final = {
    "output_format_arrow_string_as_string": 1,
    "async_insert": 0,  # an acknowledgement means that the rows are stored, not that they are in a buffer
    "input_format_parallel_parsing": 0,
    "max_partitions_per_insert_block": 1000,  # an import of 19 years in one batch
}

# Those that only the embedded engine is sure to know.
_EMBEDDED: Final = {
    # Which blocks hold nothing is found out before the first is opened: a rare line of 10 million takes a fifth less.
    "use_skip_indexes_on_data_read": 0,
}


class Client(Protocol):
    """The part of the driver's client that the store uses."""

    database: str | None

    def set_client_setting(self, key: str, value: Any) -> None:
        """Set a query setting for all that follows."""
        ...

    def raw_query(self, query: str, parameters: dict[str, Any] | None = None, *, fmt: str) -> bytes:
        """Run a query with parameters bound by the engine."""
        ...

    def raw_insert(
        self, table: str, *, column_names: Sequence[str], insert_block: bytes, settings: dict[str, Any], fmt: str
    ) -> object:
        """Insert a block and return when the engine has it."""
        ...

    def command(self, cmd: str, parameters: dict[str, Any] | None = None) -> object:
        """Run a statement without a result, or with a single one."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where the store is. `place` is how messages name it, without credentials."""

    place: str
    database: str
    folder: Path | None = None
    host: str = ""
    port: int = 8123
    user: str = "default"
    password: str = ""
    is_tls: bool = False


def parse_address(url: str, default_folder: Path | None) -> Address:
    """Read `telemetry.url`.

    Raises:
        InvalidError: it is none that we know; the message does not repeat it, for it may hold a password.
    """
    if not url and default_folder is not None:
        return Address(str(default_folder), DEFAULT_DATABASE, folder=default_folder)
    place = Place(field="telemetry.url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Not from the cause: its text quotes the URL, and that may hold a password.
        raise InvalidError("the URL of the store is malformed", hint=_URL_HINT, place=place) from None
    if parts.scheme == "chdb" and parts.path.strip("/"):
        database = parse_qs(parts.query).get("database", [DEFAULT_DATABASE])[0]
        folder = Path(unquote(parts.path))
        return Address(str(folder), check_name(database), folder=folder)
    if parts.scheme in {"clickhouse", "clickhouses"} and parts.hostname:
        is_tls = parts.scheme == "clickhouses"
        port = port or (8443 if is_tls else 8123)
        database = check_name(parts.path.strip("/") or DEFAULT_DATABASE)
        return Address(
            f"clickhouse://{parts.hostname}:{port}/{database}",
            database,
            host=parts.hostname,
            port=port,
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            is_tls=is_tls,
        )
    raise InvalidError(
        "the URL of the store is none that we know",
        hint=_URL_HINT,
        place=place,
    )


def client_opener(address: Address, settings: StoreSettings) -> Callable[[], Client]:
    """Give the function that opens one more client; it blocks, and raises our errors."""
    common.set_setting("autogenerate_session_id", False)  # noqa: FBT003 -- the driver's own signature
    common.set_setting("dict_parameter_format", "map")
    arguments = _folder_arguments(address, settings) if address.folder else _server_arguments(address, settings)
    session = {
        **_SESSION,
        **(_EMBEDDED if address.folder else {}),
        "output_format_arrow_compression_method": "none" if address.folder else "lz4_frame",
    }

    def open_client() -> Client:
        try:
            client: Client = clickhouse_connect.get_client(settings=session, **arguments)
        except (Error, OSError) as error:
            raise faults.translate(error, address.place, is_folder=bool(address.folder)) from error
        return client

    return open_client


def _folder_arguments(address: Address, settings: StoreSettings) -> dict[str, Any]:
    return {
        "interface": "chdb",
        "path": str(address.folder),
        "chdb_options": {
            "max_server_memory_usage": settings.max_memory,
            "mark_cache_size": settings.mark_cache,
            "index_mark_cache_size": settings.mark_cache,
            "primary_index_cache_size": settings.mark_cache,
            "uncompressed_cache_size": 0,
            "query_condition_cache_size": 4 * _MIB,
            "compiled_expression_cache_size": 4 * _MIB,
            "text_index_header_cache_size": settings.mark_cache,
            "text_index_tokens_cache_size": settings.mark_cache,
            "text_index_postings_cache_size": settings.mark_cache,
        },
    }


def _server_arguments(address: Address, settings: StoreSettings) -> dict[str, Any]:
    return {
        "host": address.host,
        "port": address.port,
        "username": address.user,
        "password": address.password,
        "secure": address.is_tls,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "send_receive_timeout": int(settings.query_timeout) + CONNECT_TIMEOUT_S,
        "query_retries": 0,
        "compress": "lz4",
        "client_name": "holdfast",
    }
