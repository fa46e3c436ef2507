"""The tables of deploys: the last one of each version of a service in an environment, and those before it.

Of a version there is one row that changes, so that several processes agree on it; what it said before a version was
deployed anew stands among the past ones, which never change.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Float, Index, MetaData, Table, Text, false

from holdfast.kernel.sql import UtcDateTime

METADATA: Final = MetaData()

# began_at: since when it counts as deployed, the last time if it came back. known_since: the first time.
# first_seen, last_seen: when telemetry told it since then; null while only a record says so. is_heard: since began_at.
# heard_since: since when it is heard without a break. usual_gap_s: a pause between two hearings that is not rare.
# settled_at: since when it alone is heard. ended_at: when it was found to be heard no more, for `to_version`.
# origin: who tells the version: `resource`, the name of a metric, or `api` while nothing but a record did.
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
    Column("known_since", UtcDateTime),
    Column("heard_since", UtcDateTime),
    Column("longest_gap_s", Float),
    Column("usual_gap_s", Float),
    Column("is_rollback", Boolean, nullable=False, server_default=false()),
    Column("ending", Text),
    Column("to_version", Text),
    Column("trace_id", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("by", Text, nullable=False),
    Index("service_versions_by_time", "tenant", "began_at"),
    Index("service_versions_by_end", "ended_at"),
)

PAST_DEPLOYS: Final = Table(
    "service_deploys_past",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("began_at", UtcDateTime, primary_key=True),
    Column("from_version", Text),
    Column("to_version", Text),
    Column("ending", Text),
    Column("is_baseline", Boolean, nullable=False),
    Column("is_rollback", Boolean, nullable=False),
    Column("first_seen", UtcDateTime),
    Column("last_seen", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("by", Text, nullable=False),
    Index("service_deploys_past_by_time", "tenant", "began_at"),
    Index("service_deploys_past_by_end", "ended_at"),
)
