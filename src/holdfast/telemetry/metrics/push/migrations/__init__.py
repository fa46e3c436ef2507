"""The revisions of the table of pushed groups."""

__all__: list[str] = []
