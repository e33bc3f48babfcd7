"""Are two statements the same?"""

from .parsing import JsonObject


def equal(a: JsonObject, b: JsonObject) -> bool:
    """Whether b may be answered as a repetition of a (200/204) rather than as a conflict (409)."""
    return difference(a, b) is None


def difference(a: JsonObject, b: JsonObject) -> str | None:
    """The JSON pointer of the first real difference (for the 409's problem document), or None."""
    raise NotImplementedError
