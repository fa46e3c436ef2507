"""What one query may cost. The engine enforces it; asking costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """Bounds of one query; a query that hits one fails, it never returns a part.

    Attributes:
        timeout_s: seconds from the start in the engine.
        memory_bytes: memory in the engine.
        rows: rows of the result.
        size_bytes: bytes of the result, before it is packed.
        threads: cores that it may use; 0 for the engine's choice.
        groups_in_order: rows that are grouped by the first columns of the sort key are taken as they lie, not hashed.
    """

    timeout_s: float
    memory_bytes: int
    rows: int
    size_bytes: int = 256 * 1024 * 1024
    threads: int = 0
    groups_in_order: bool = False

    @classmethod
    def of(cls, settings: StoreSettings) -> QueryLimits:
        """Give the limits that the settings say."""
        return cls(settings.query_timeout, settings.query_memory, settings.query_rows, settings.query_size)

    def clause(self, tag: str) -> str:
        """Give the `SETTINGS` clause that makes the engine keep to them; `tag` finds the query while it runs."""
        settings = {
            "max_execution_time": f"{self.timeout_s:.3f}",
            "max_memory_usage": f"{self.memory_bytes:d}",
            "max_result_rows": f"{self.rows:d}",
            "max_result_bytes": f"{self.size_bytes:d}",
            "result_overflow_mode": "'throw'",
            "log_comment": f"'{tag}'",
        }
        if self.threads:
            settings["max_threads"] = f"{self.threads:d}"
        if self.groups_in_order:
            settings["optimize_aggregation_in_order"] = "1"
        return "SETTINGS " + ", ".join(f"{name} = {value}" for name, value in settings.items())
