"""What people may be allowed to do with runs, queues and schedules."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("runs.read", Role.VIEWER, "See runs, their steps and logs, workflows, queues and schedules.")
SIGNAL: Final = Permission("runs.signal", Role.RESPONDER, "Approve and signal runs, cancel and retry them.")
START: Final = Permission("runs.start", Role.OPERATOR, "Start runs, and schedules out of turn.")
MANAGE: Final = Permission(
    "runs.manage", Role.OPERATOR, "Replay runs, resolve stranded ones, pause queues and schedules."
)

PERMISSIONS: Final = (READ, SIGNAL, START, MANAGE)
