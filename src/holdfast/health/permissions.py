"""What people may be allowed to do with checks."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("health.read", Role.VIEWER, "See checks, their history, and maintenance.")
RUN: Final = Permission("health.run", Role.RESPONDER, "Run a check now.")
WRITE: Final = Permission("health.write", Role.OPERATOR, "Pause checks, plan maintenance, see heartbeat addresses.")

PERMISSIONS: Final = (READ, RUN, WRITE)
