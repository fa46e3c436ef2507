"""`holdfast logs`: a query in LogQL with its lines or numbers, followed with `-f`; `analyze` reads files, serverless.

Speaks Loki's own API, so what it prints is what any client gets.
"""

from holdfast.cli.logs.registering import register

__all__ = ["register"]
