"""Revisions of the event log's tables, in their order; a landed revision is never edited."""

__all__: list[str] = []
