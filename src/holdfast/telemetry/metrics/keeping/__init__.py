"""What leaves the store: by rules of how long series are kept, and by deletion on demand."""

from holdfast.telemetry.metrics.keeping.deletion import Deletion
from holdfast.telemetry.metrics.keeping.routes import routes
from holdfast.telemetry.metrics.keeping.rules import KeepRules

__all__ = ["Deletion", "KeepRules", "routes"]
