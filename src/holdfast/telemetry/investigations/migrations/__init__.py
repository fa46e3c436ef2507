"""Revisions of the investigations' tables, in their order; a landed revision is never edited."""

__all__: list[str] = []
