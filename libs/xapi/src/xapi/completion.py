"""What the LRS adds to a statement it accepts (1.0.3 Data 2.3.1, 2.4)."""

from datetime import datetime

from .parsing import JsonObject
from .versions import Version


def complete(
    raw: JsonObject, *, statement_id: str, stored: datetime, authority: JsonObject, version: Version
) -> JsonObject:
    """The statement as the LRS gives it back: a new object, `raw` is untouched.

    `id` (lower case), `timestamp` and `version` are set where they lack; `stored` and `authority` are always set by the
    LRS; contextActivities become arrays (also in a SubStatement). In 2.0 `timestamp` is converted to UTC.
    """
    raise NotImplementedError
