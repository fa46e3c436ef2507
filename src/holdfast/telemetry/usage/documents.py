"""The reports as the API gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Use:
    """What a service, or a stream, keeps and had read in the time asked for.

    Attributes:
        labels: `service_name`, or all labels of the stream.
        records: log records that are kept.
        bytes: letters of their bodies.
        disk_bytes: about what they take on the disk.
        spans: spans that are kept.
        span_disk_bytes: about what these take.
        read_records: log records that queries read.
        read_bytes: letters of these.
        cost: what is on the disk for a month, and what was read, by the prices of `[usage]`; None without a price.
    """

    labels: Mapping[str, str]
    records: int = 0
    bytes: int = 0
    disk_bytes: int = 0
    spans: int = 0
    span_disk_bytes: int = 0
    read_records: int = 0
    read_bytes: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class UseOfDay:
    """What the tenant's logs of one day (UTC) keep, and what was read on it."""

    day: date
    records: int
    bytes: int
    disk_bytes: int
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Who read: a user or a token by its name, or `holdfast` itself."""

    reader: str
    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SignalUse:
    """What a signal takes on the disk: about the tenant's part, and that of all tenants."""

    signal: str
    disk_bytes: int
    all_disk_bytes: int


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How close something is to its limit; `limit` is 0 where there is none. `unit` is `bytes` or a noun."""

    name: str
    setting: str
    used: float
    limit: float
    unit: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Who keeps how much, who reads, what it costs, what was left out, and how close limits are.

    `dropped` are log records that were left out, by reason and the hour of their arrival; `Intake` has all signals.
    """

    start: date
    end: date
    currency: str
    stored_gib_month: float
    read_gib: float
    signals: Sequence[SignalUse]
    services: Sequence[Use]
    streams: Sequence[Use]
    streams_total: int
    readers: Sequence[Reader]
    days: Sequence[UseOfDay]
    limits: Sequence[LimitUse]
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of the store; `oldest` and `newest` are of its records, as far as its index says, of all tenants."""

    table: str
    signal: str
    rows: int
    size_bytes: int
    parts: int
    parts_waiting: int
    merges: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class RunningMerge:
    """Parts that the engine makes one of just now; `progress` is 0 to 1."""

    table: str
    parts: int
    size_bytes: int
    progress: float
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class KeptFor:
    """How long what lives; `tenant` and `match` are empty where it is so for all. The first line that fits holds."""

    signal: str
    tenant: str
    match: str
    keep_s: float
    setting: str


@dataclass(frozen=True, slots=True)
class StorageReport:
    """What the store is made of; the disk's figures are None where a server keeps the store."""

    place: str
    disk_free_bytes: int | None
    disk_bytes: int | None
    reserve_bytes: int
    is_full: bool
    tables: Sequence[StoredTable]
    merges: Sequence[RunningMerge]
    retention: Sequence[KeptFor]
