"""Videos: watched in however many pieces, one of them is one act.

A player tells of a video by many statements. It counts as taken up with the first of them, as seen once a sitting, and
as finished by the share of it that is new: two halves are worth what the whole is. Kept are the shares of the last two
videos, so that what is kept stays as small as it is: whoever watches three by turns finishes them more than once.
"""

from typing import Final

from learner_model.coding import KEY_CHARS
from learner_model.regulation import REVIEW_AFTER_SECONDS

KEPT: Final = 2
_ENTRY: Final = KEY_CHARS + 2


def watched_after(watched: str, key: str, share: float) -> tuple[str, float]:
    """With how far a video has been watched; and the share of it that is new.

    `watched`: by videos, the last one at the end, the activity's short key and per cents as two hexadecimal digits.
    """
    kept = [watched[at : at + _ENTRY] for at in range(0, len(watched), _ENTRY)]
    before = next((int(one[KEY_CHARS:], 16) for one in kept if one.startswith(key)), 0)
    now = max(before, round(100.0 * share))
    if not now:
        return watched, 0.0
    others = [one for one in kept if not one.startswith(key)]
    return "".join([*others, f"{key}{now:02x}"][-KEPT:]), (now - before) / 100.0


def goes_on(last_seen: int | None, at: int) -> bool:
    """Whether it is the same sitting still. `last_seen`: of the same activity, None where that is not known."""
    return last_seen is not None and at - last_seen < REVIEW_AFTER_SECONDS
