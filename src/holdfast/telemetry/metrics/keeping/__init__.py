"""What leaves the store: by rules of how long series are kept, by a limit of size, and by deletion on demand."""

from holdfast.telemetry.metrics.keeping.deletion import Deletion
from holdfast.telemetry.metrics.keeping.routes import routes
from holdfast.telemetry.metrics.keeping.rules import KeepRules
from holdfast.telemetry.metrics.keeping.size import Around, SizeLimit

__all__ = ["Around", "Deletion", "KeepRules", "SizeLimit", "routes"]
