"""The entities that were in force last."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0001"
down_revision = None
branch_labels = ("catalog",)
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "catalog_entities",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
    )
