"""Holdfast watches services, wakes people, finds causes, runs fixes and ships versions from one process.

The three light rooms (`resilience`, `journal`, `instrument`) come with the base install; everything else
needs `holdfast[server]`. This door imports nothing, so that using one light room costs only that room.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
