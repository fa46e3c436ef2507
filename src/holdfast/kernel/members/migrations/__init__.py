"""The revisions of the table of members."""

__all__: list[str] = []
