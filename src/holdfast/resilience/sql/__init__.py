"""State that processes share through the user's own SQLite or PostgreSQL; needs `pip install "holdfast[sql]"`.

Owns the adapters of the ports of `holdfast.resilience` on SQLAlchemy Core, and their tables (`metadata`). Refuses to
open engines, to choose pools, and to migrate: `create_tables()` makes what is missing and changes nothing.
"""

from holdfast.resilience.sql.advisory import AdvisoryLocks
from holdfast.resilience.sql.fences import admit_token
from holdfast.resilience.sql.locks import SqlLocks
from holdfast.resilience.sql.tables import metadata

__all__ = ["AdvisoryLocks", "SqlLocks", "admit_token", "metadata"]
