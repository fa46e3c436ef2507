"""`holdfast trace`: traces in the terminal, one as a waterfall, many by what they tell together.

Speaks the REST API, so what it prints is what any client gets.
"""

from holdfast.cli.traces.registering import register

__all__ = ["register"]
