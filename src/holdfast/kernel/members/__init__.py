"""Which processes of one kind are alive over a shared database, and which of them has which part of their work.

Owns the table of members and the hashing that spreads keys over them. Refuses to fence: for a moment after a change
two members may both have a part, so what they do must bear being done twice; what must not is led
(`resilience.leaders`) or run (`kernel.runs`).
"""

from holdfast.kernel.members.membership import Membership
from holdfast.kernel.members.rendezvous import owner_of
from holdfast.kernel.members.wiring import MembersRoom, wire

__all__ = ["MembersRoom", "Membership", "owner_of", "wire"]
