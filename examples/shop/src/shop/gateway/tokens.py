"""Tokens: a guest gets a signed one and is the same customer for as long as it is renewed.

HS256 with a secret of the data folder: gateway is both the only issuer and the only reader.
"""

import time

import jwt

from shop.chassis import Problem, new_id

LIFETIME_S = 3600
_ISSUER = "shop-gateway"
_ALGORITHM = "HS256"


class Tokens:
    """Issues and reads tokens."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def issue(self, customer_id: str | None = None) -> tuple[str, str]:
        """Return (token, customer id); without an id it is a new customer."""
        subject = customer_id or new_id("cus")
        now = int(time.time())
        claims = {"iss": _ISSUER, "sub": subject, "iat": now, "exp": now + LIFETIME_S}
        return jwt.encode(claims, self._secret, _ALGORITHM), subject

    def read(self, token: str) -> str:
        """Return the customer id of a token.

        Raises:
            Problem: 401 when it is not ours, or has expired.
        """
        try:
            claims = jwt.decode(token, self._secret, [_ALGORITHM], issuer=_ISSUER, options={"require": ["exp", "sub"]})
        except jwt.InvalidTokenError as error:
            headers = {"WWW-Authenticate": "Bearer"}
            hint = "POST /api/sessions gives a new one."
            raise Problem(401, "bad-token", f"The token is not valid: {error}.", hint=hint, headers=headers) from error
        return str(claims["sub"])
