"""Revisions of the saved searches' table, in their order; a landed revision is never edited."""

__all__: list[str] = []
