"""Revisions of the tables of people, in their order; a landed revision is never edited."""

__all__: list[str] = []
