"""How one service calls another over HTTP.

Owns retries, breakers, deadlines and caps on such calls. Refuses to know what is asked or answered.
"""

from shop.peers.http import Answer, Peer, PeerUnavailable, watch_breaker

__all__ = ["Answer", "Peer", "PeerUnavailable", "watch_breaker"]
