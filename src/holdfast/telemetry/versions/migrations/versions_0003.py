"""What a process of the release before still reads, and which deploys of that release were ways back.

Columns come first and go a release later: `back_told_at` is given back here, for a process that goes on while another
one is upgraded, and is dropped by a later revision. Nothing of this release reads it.
"""

import sqlalchemy as sa
from alembic import op

from holdfast.kernel.sql import UtcDateTime

revision = "versions_0003"
down_revision = "versions_0002"
branch_labels = None
depends_on = None

# Of a version that came back the release before kept when it was first heard at all; since 0002 that is `known_since`.
_CAME_BACK = """
    UPDATE service_versions SET first_seen = began_at, is_rollback = EXISTS (
        SELECT 1 FROM service_versions AS other
        WHERE other.tenant = service_versions.tenant AND other.service = service_versions.service
          AND other.environment = service_versions.environment AND other.version = service_versions.from_version
          AND other.known_since > service_versions.known_since)
    WHERE first_seen < began_at
"""


def upgrade() -> None:
    """Give the column back, with what is known of it: a way back was told when it began."""
    op.add_column("service_versions", sa.Column("back_told_at", UtcDateTime))
    op.execute(_CAME_BACK)
    op.execute("UPDATE service_versions SET back_told_at = began_at WHERE is_rollback")
