"""Who may see and record deploys."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("deploys.read", Role.VIEWER, "See which versions of services run, and their deploys")
RECORD: Final = Permission("deploys.record", Role.RESPONDER, "Record that a version of a service was deployed")
