"""What people and programs may be allowed to do with traces."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("traces.read", Role.VIEWER, "Search and read traces.")
WRITE: Final = Permission("traces.write", Role.OPERATOR, "Send spans: OTLP and Zipkin.")
