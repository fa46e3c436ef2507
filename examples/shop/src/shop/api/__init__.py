"""How the shop's FastAPI services speak: one shape for every refusal, in the answers and in OpenAPI.

Owns the making of a FastAPI app. Refuses routes: those belong to the services.
"""

from shop.api.app import ProblemBody, new_api, refusal

__all__ = ["ProblemBody", "new_api", "refusal"]
