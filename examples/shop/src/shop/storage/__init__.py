"""A service's own database: connection, transactions, migrations.

Owns the pool and the transaction. Refuses any table: those belong to the services.
"""

from shop.storage.database import Database
from shop.storage.migrations import MigrationError, migrate
from shop.storage.upserts import insert_if_absent

__all__ = ["Database", "MigrationError", "insert_if_absent", "migrate"]
