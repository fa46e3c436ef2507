"""One frozen tree of settings: defaults, then `holdfast.toml`, then `HOLDFAST_*`, then `HOLDFAST_*_FILE`.

Owns reading and strict validation; each room owns the meaning of its section. Refuses unknown keys, in the file and in
the environment, with the line and the nearest known key.
"""

from holdfast.kernel.settings.sections import Section
from holdfast.kernel.settings.tree import Settings, load

__all__ = ["Section", "Settings", "load"]
