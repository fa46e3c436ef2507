"""An index by time, so that a window of the log is found without reading all that came after it."""

from alembic import op

revision = "events_0002"
down_revision = "events_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("event_log_by_time", "event_log", ["tenant", "at"])
