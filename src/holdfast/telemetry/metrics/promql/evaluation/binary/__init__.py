"""Binary operators: between scalars, vectors and both. Knows frames, nothing of selectors or steps."""

from holdfast.telemetry.metrics.promql.evaluation.binary.operators import SETS, TRIMS
from holdfast.telemetry.metrics.promql.evaluation.binary.vectors import (
    combine_sets,
    scalar_with_scalar,
    vector_with_scalar,
    vector_with_vector,
)

__all__ = ["SETS", "TRIMS", "combine_sets", "scalar_with_scalar", "vector_with_scalar", "vector_with_vector"]
