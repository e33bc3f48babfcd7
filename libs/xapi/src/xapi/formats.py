"""`format=` of GET /statements: exact, ids, canonical (1.0.3 Communication 2.1.3)."""

from .filters import Format
from .parsing import JsonObject


def render(statement: JsonObject, form: Format, accept_language: str | None = None) -> JsonObject:
    """The stored statement in the form asked for; `exact` gives back the same object, the others a new one."""
    raise NotImplementedError
