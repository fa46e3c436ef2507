"""Revisions of the catalog's table, in their order; a landed revision is never edited."""

__all__: list[str] = []
