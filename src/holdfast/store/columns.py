"""What a column can hold: one declaration gives both the engine's type and the Arrow type of a batch.

Arrow itself is imported only by `batches`, so that declaring a table costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.errors import InvalidError

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type.

    Attributes:
        sql: as the engine writes it.
        arrow: the name of the Arrow type, or `list`, `map` or `fixed`.
        of: the kinds inside a list or a map.
        size: bytes of a fixed value.
        is_nullable: whether a value may be missing.
    """

    sql: str
    arrow: str
    of: tuple[Kind, ...] = ()
    size: int = 0
    is_nullable: bool = False


BOOL: Final = Kind("Bool", "bool")
UINT8: Final = Kind("UInt8", "uint8")
UINT16: Final = Kind("UInt16", "uint16")
UINT32: Final = Kind("UInt32", "uint32")
UINT64: Final = Kind("UInt64", "uint64")
INT64: Final = Kind("Int64", "int64")
FLOAT64: Final = Kind("Float64", "float64")
STRING: Final = Kind("String", "string")
LABEL: Final = Kind("LowCardinality(String)", "string")  # text with few distinct values
TIME_S: Final = Kind("DateTime('UTC')", "timestamp[s]")
TIME_MS: Final = Kind("DateTime64(3, 'UTC')", "timestamp[ms]")
TIME_NS: Final = Kind("DateTime64(9, 'UTC')", "timestamp[ns]")


def array(of: Kind) -> Kind:
    """Give the kind of a list."""
    return Kind(f"Array({of.sql})", "list", (of,))


def mapping(key: Kind, value: Kind) -> Kind:
    """Give the kind of a mapping."""
    return Kind(f"Map({key.sql}, {value.sql})", "map", (key, value))


def fixed(size: int) -> Kind:
    """Give the kind of exactly `size` bytes, such as a trace id."""
    return Kind(f"FixedString({size})", "fixed", size=size)


def nullable(of: Kind) -> Kind:
    """Give the kind that may also be missing; costs a byte per row, so prefer a value that says so."""
    sql = "LowCardinality(Nullable(String))" if of == LABEL else f"Nullable({of.sql})"
    return Kind(sql, of.arrow, of.of, of.size, is_nullable=True)


def keep_min(of: Kind) -> Kind:
    """Give the kind of a column that keeps the least value when rows with the same key are merged."""
    return _folded("min", of)


def keep_max(of: Kind) -> Kind:
    """Give the kind of a column that keeps the greatest value when rows with the same key are merged."""
    return _folded("max", of)


def keep_sum(of: Kind) -> Kind:
    """Give the kind of a column that keeps the sum when rows with the same key are merged."""
    return _folded("sum", of)


def keep_latest(of: Kind) -> Kind:
    """Give the kind of a column that keeps the last written value when rows with the same key are merged."""
    return _folded("anyLast", of)


def _folded(function: str, of: Kind) -> Kind:
    return Kind(f"SimpleAggregateFunction({function}, {of.sql})", of.arrow, of.of, of.size, of.is_nullable)


LABELS: Final = mapping(STRING, STRING)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: lower case with underscores.
        kind: what it holds.
        codec: how it is packed, such as `Delta(8), ZSTD`; empty for the engine's own choice.
    """

    name: str
    kind: Kind
    codec: str = ""

    def __post_init__(self) -> None:
        """Refuse a name that would need quotes."""
        check_name(self.name)

    @property
    def ddl(self) -> str:
        """The column as `CREATE TABLE` and `ADD COLUMN` want it."""
        return f"`{self.name}` {self.kind.sql}" + (f" CODEC({self.codec})" if self.codec else "")


def check_name(name: str) -> str:
    """Give `name` back if it can stand in SQL unquoted.

    Raises:
        InvalidError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise InvalidError(f"{name!r} is no name", hint="lower case letters, digits and _, at most 63, letter first")
    return name
