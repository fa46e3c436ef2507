"""What people and programs may be allowed to do with logs."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("logs.read", Role.VIEWER, "Query logs, their streams and labels.")
WRITE: Final = Permission("logs.write", Role.OPERATOR, "Send logs: OTLP, Loki push and the other doors.")
