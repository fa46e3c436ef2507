"""Why a source could not be read; `kind` is the label under which that is counted."""

from __future__ import annotations

from holdfast.kernel.errors import UnavailableError


class SourceError(UnavailableError):
    """A source of the exporter gave nothing that could be read."""

    code = "source_failed"

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
