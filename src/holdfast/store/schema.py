"""What a room declares: its tables, and the numbered migrations that bring older stores to them.

Every table gets the columns `tenant`, first in its sort key, and `expires_at`, by which rows leave. Applying all this
is `migrations`' work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from holdfast.kernel.errors import InvalidError
from holdfast.store.columns import LABEL, TIME_S, Column, Kind, check_name, keep_max

Engine = Literal["MergeTree", "ReplacingMergeTree", "AggregatingMergeTree"]
TENANT: Final = Column("tenant", LABEL)
EXPIRES_AT: Final = "expires_at"
DEDUPLICATION_WINDOW: Final = 1000  # inserts that the engine remembers, so that one sent again is stored once


@dataclass(frozen=True, slots=True)
class Index:
    """A skipping index: `kind` as the engine writes it, such as `bloom_filter(0.01)`."""

    name: str
    expression: str
    kind: str
    granularity: int = 1

    @property
    def ddl(self) -> str:
        """The index as `CREATE TABLE` wants it."""
        check_name(self.name)
        return f"INDEX {self.name} {self.expression} TYPE {self.kind} GRANULARITY {self.granularity}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a room.

    Attributes:
        name: unique in the store.
        columns: without `tenant` and `expires_at`.
        order_by: the sort key after `tenant`.
        time: the column from which the retention counts.
        stream: the name that retention settings use; the table's name if empty.
        engine: `MergeTree`, or one that merges rows with the same key.
        partition_by: parts are dropped whole when all their rows have expired, so rows stay that much longer at most;
            empty for one partition, from which rows are merged out one by one.
        indexes: skipping indexes.
        merge_base: about how many parts of one size become one; the more, the less often a row is written anew, and the
            more parts a query reads.
    """

    name: str
    columns: tuple[Column, ...]
    order_by: tuple[str, ...]
    time: str
    stream: str = ""
    engine: Engine = "MergeTree"
    partition_by: str = "toMonday(expires_at)"
    indexes: tuple[Index, ...] = ()
    merge_base: int = 5

    def __post_init__(self) -> None:
        """Refuse a declaration that cannot work.

        Raises:
            InvalidError: a name is taken or missing.
        """
        check_name(self.name)
        names = [column.name for column in self.columns]
        wrong = {*self.order_by, self.time} - set(names)
        if wrong:
            raise InvalidError(f"table {self.name} has no column {', '.join(sorted(wrong))}")
        if len(set(names)) < len(names) or {TENANT.name, EXPIRES_AT} & set(names):
            raise InvalidError(
                f"table {self.name} declares a column twice", hint="tenant and expires_at are added by the store"
            )

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Every column, in the order in which a batch has them."""
        return (TENANT, *self.columns, Column(EXPIRES_AT, self._expiry, "DoubleDelta, ZSTD"))

    @property
    def _expiry(self) -> Kind:
        return keep_max(TIME_S) if self.engine == "AggregatingMergeTree" else TIME_S

    def create(self, *, fsync: bool) -> str:
        """Give the statement that creates the table unless it is there."""
        partition = f"PARTITION BY {self.partition_by}\n" if self.partition_by else ""
        lines = [*(column.ddl for column in self.all_columns), *(index.ddl for index in self.indexes)]
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name} (\n  " + ",\n  ".join(lines) + f"\n) ENGINE = {self.engine}\n"
            f"{partition}ORDER BY ({', '.join((TENANT.name, *self.order_by))})\n"
            f"TTL {EXPIRES_AT}\nSETTINGS ttl_only_drop_parts = {bool(partition):d}, "
            f"non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}, {', '.join(self.settings(fsync=fsync))}"
        )

    def settings(self, *, fsync: bool) -> list[str]:
        """Give the table settings that may change later: what an acknowledgement survives, how parts are merged."""
        durability = [f"fsync_after_insert = {fsync:d}", f"fsync_part_directory = {fsync:d}"]
        return [*durability, f"merge_selector_base = {self.merge_base}"]


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step from an older store to the tables as they are declared.

    Every statement must be safe to run twice (`ADD COLUMN IF NOT EXISTS`), because a process may stop between a
    statement and its record.
    """

    number: int
    title: str
    statements: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse statements that would fail the second time.

        Raises:
            InvalidError: a statement adds or drops without `IF [NOT] EXISTS`.
        """
        for statement in self.statements:
            if re.search(r"\b(ADD|DROP|CREATE|RENAME)\s+(TABLE|COLUMN|INDEX)\s+(?!IF\b)", statement, re.IGNORECASE):
                raise InvalidError(
                    f"migration {self.number} cannot run twice: {statement}", hint="write IF EXISTS or IF NOT EXISTS"
                )


@dataclass(frozen=True, slots=True)
class Schema:
    """All that one room keeps in the store.

    A new store gets the tables as declared; an older one gets the migrations whose number is above the recorded one.
    """

    room: str
    tables: tuple[Table, ...]
    migrations: tuple[Migration, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that are not 1, 2, 3, ...

        Raises:
            InvalidError: they are not.
        """
        numbers = [migration.number for migration in self.migrations]
        if numbers != list(range(1, len(numbers) + 1)):
            raise InvalidError(f"the migrations of {self.room} are numbered {numbers}", hint="count 1, 2, 3, ...")

    @property
    def version(self) -> int:
        """The number of the last migration; 0 if there is none."""
        return len(self.migrations)
