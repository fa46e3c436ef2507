"""Who may do what with investigations."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("investigations.read", Role.VIEWER, "See investigations of the tenant")
WRITE: Final = Permission("investigations.write", Role.RESPONDER, "Begin investigations, add to and change them")
