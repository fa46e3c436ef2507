"""Revisions of the tables of runs, in their order; a landed revision is never edited."""

__all__: list[str] = []
