"""Who may do what with saved searches."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.permissions import Permission, Role

READ: Final = Permission("searches.read", Role.VIEWER, "See saved searches: one's own, and shared ones")
WRITE: Final = Permission("searches.write", Role.VIEWER, "Save searches for oneself, change and delete them")
SHARE: Final = Permission("searches.share", Role.RESPONDER, "Save searches for everybody of the tenant")
