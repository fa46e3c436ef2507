"""The table of versions: a row for each version of a service in an environment, kept after it is gone."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, MetaData, Table, Text

from holdfast.kernel.sql import UtcDateTime

METADATA: Final = MetaData()

# began_at: since when it counts as deployed, the last time if it came back.
# first_seen, last_seen: when telemetry told it; null while only a record says so. is_heard: since began_at.
# settled_at: since when it alone is heard. ended_at: when it was found to be heard no more.
# origin: who tells the version: `resource`, the name of a metric, or `api`.
SERVICE_VERSIONS: Final = Table(
    "service_versions",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("from_version", Text),
    Column("is_baseline", Boolean, nullable=False),
    Column("is_heard", Boolean, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("first_seen", UtcDateTime),
    Column("last_seen", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("told_at", UtcDateTime),
    Column("back_told_at", UtcDateTime),
    Column("trace_id", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("by", Text, nullable=False),
    Index("service_versions_by_time", "tenant", "began_at"),
    Index("service_versions_by_end", "ended_at"),
)
