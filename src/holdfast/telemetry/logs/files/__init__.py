"""Log files without a server: recognises their format, counts in bounded memory, says what is frequent, slow or new.

Owns readers of formats and the report; the way in is the command, for the readers import Arrow. Keeps nothing.
"""

from holdfast.telemetry.logs.files.commands import register

__all__ = ["register"]
