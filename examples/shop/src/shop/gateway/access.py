"""Who asks: the dependencies that routes declare to be told the customer, or to let anybody in."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shop.chassis import Problem
from shop.gateway.limits import Limits
from shop.gateway.tokens import Tokens

_bearer = HTTPBearer(auto_error=False, description="The token of a session")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Access:
    """Checks tokens and rates; its methods are FastAPI dependencies."""

    def __init__(self, tokens: Tokens, limits: Limits) -> None:
        self._tokens = tokens
        self._limits = limits

    async def customer(self, credentials: Credentials) -> str:
        """Return the id of the customer whose token came.

        Raises:
            Problem: 401 without a good token, 429 when they ask too often.
        """
        if credentials is None:
            headers = {"WWW-Authenticate": "Bearer"}
            hint = "POST /api/sessions gives one."
            raise Problem(401, "no-token", "This needs a token.", hint=hint, headers=headers)
        customer_id = self._tokens.read(credentials.credentials)
        self._limits.check_customer(customer_id)
        return customer_id

    async def anybody(self, request: Request) -> None:
        """Let in whoever does not ask too often from one address.

        Raises:
            Problem: 429.
        """
        self._limits.check_address(request.client.host if request.client else "unknown")
