"""Columns made of columns, one query inside another: what several need is written, analysed and worked out once."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Layers:
    """Definitions by layer; those of one may name what the layers before have defined."""

    columns: list[dict[str, str]] = field(default_factory=list)

    def define(self, sql: str, layer: int) -> str:
        """Give the name of a column that holds this; the same in a layer has one name."""
        while len(self.columns) <= layer:
            self.columns.append({})
        return self.columns[layer].setdefault(sql, f"x{layer}_{len(self.columns[layer])}")

    def around(self, rows: str) -> str:
        """Give what selects rows, such as `log_records WHERE ...`, with all columns."""
        for columns in filter(None, self.columns):
            named = ", ".join(f"{sql} AS {name}" for sql, name in columns.items())
            rows = f"(SELECT *, {named} FROM {rows})"  # noqa: S608 -- values are bound
        return rows
