"""Kinds that ask a product what it says of itself. Each module is one product; `registry` lists them.

A product's own words (cluster status, replication lag, alarms) make the verdict; what it does not say is not guessed.
"""

__all__: list[str] = []
