"""Revisions of the tables of service health, in their order; a landed revision is never edited."""

__all__: list[str] = []
