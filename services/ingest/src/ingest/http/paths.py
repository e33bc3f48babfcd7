"""Which requests are xAPI's."""

from typing import Final

from starlette.types import Scope

XAPI: Final = "/xapi"
STATEMENTS: Final = f"{XAPI}/statements"
ABOUT: Final = f"{XAPI}/about"
LAUNCHES: Final = "/launches"
IMPORTS: Final = "/imports/statements"


def is_xapi(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(f"{XAPI}/")


def is_for_browsers(scope: Scope) -> bool:
    """xAPI's resources, and where launched content fetches its token (cmi5 8.2)."""
    path: str = scope["path"]
    return is_xapi(scope) or (path.startswith(f"{LAUNCHES}/") and path.endswith("/fetch"))
