"""State that processes share through the user's own SQLite or PostgreSQL; needs `pip install "holdfast[sql]"`.

Owns the adapters of the ports of `holdfast.resilience` on SQLAlchemy Core, and their tables (`metadata`). Refuses to
open engines, to choose pools, and to migrate: `create_tables()` makes what is missing and changes nothing. While the
database is away each call raises StoreAway.
"""

from holdfast.resilience.sql.advisory import AdvisoryLocks
from holdfast.resilience.sql.breakers import SqlBreakerStore
from holdfast.resilience.sql.fences import admit_token
from holdfast.resilience.sql.locks import SqlLocks
from holdfast.resilience.sql.rates import SqlLimiterStore
from holdfast.resilience.sql.tables import metadata

__all__ = ["AdvisoryLocks", "SqlBreakerStore", "SqlLimiterStore", "SqlLocks", "admit_token", "metadata"]
