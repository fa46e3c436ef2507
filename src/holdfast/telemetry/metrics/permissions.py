"""What people and programs may be allowed to do with metrics."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("metrics.read", Role.VIEWER, "Query metrics, their series and metadata.")
WRITE: Final = Permission("metrics.write", Role.OPERATOR, "Send metrics: remote write, OTLP, push and import.")
DELETE: Final = Permission("metrics.delete", Role.OPERATOR, "Delete series and their samples.")
