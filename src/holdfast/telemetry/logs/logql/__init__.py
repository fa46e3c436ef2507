"""LogQL: text becomes nodes here; what they mean over lines is the engine's matter.

Owns the grammar, its checks and its errors with places. Refuses to know where lines are kept.
"""

from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.parser import parse, parse_selector
from holdfast.telemetry.logs.logql.pretty import prettify
from holdfast.telemetry.logs.logql.printing import print_query

__all__ = ["LogqlError", "parse", "parse_selector", "prettify", "print_query"]
