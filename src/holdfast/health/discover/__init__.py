"""Discovery: what listens on this host, what it is, and a check for it.

Owns the questions that ports are asked and the files that are written. Refuses other hosts, and overwriting.
"""

from holdfast.health.discover.asking import Found, look_at, recognise
from holdfast.health.discover.listening import Listener, find_listeners
from holdfast.health.discover.proposing import Proposal, propose
from holdfast.health.discover.protocols import Recognised
from holdfast.health.discover.writing import Written, write_files

__all__ = [
    "Found",
    "Listener",
    "Proposal",
    "Recognised",
    "Written",
    "find_listeners",
    "look_at",
    "propose",
    "recognise",
    "write_files",
]
