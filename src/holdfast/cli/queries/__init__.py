"""`holdfast query`: PromQL from a terminal: a table for one time, a chart for a range.

Refuses to evaluate anything itself: the server's Prometheus API does.
"""

from holdfast.cli.queries.registering import register

__all__ = ["register"]
