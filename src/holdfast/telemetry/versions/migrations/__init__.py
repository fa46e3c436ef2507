"""Revisions of the table of versions, in their order; a landed revision is never edited."""

__all__: list[str] = []
