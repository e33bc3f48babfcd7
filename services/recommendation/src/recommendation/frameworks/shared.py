"""A competency that several frameworks have: what each says of it, and what is told of it. Plain, on documents.

The framework that had it first names it and is told as its own; it is a part of what any of them says it is a part of.
"""

from collections.abc import Sequence
from typing import Any

from recommendation.frameworks.case import MOST_LINKS

Said = dict[str, Any]
"""A competency as one framework has it."""


def said_of(document: Said) -> list[Said]:
    """What each framework says of the competency that a document holds."""
    competency = document.get("competency")
    if competency is None:
        return []
    found: list[Said] = document.get("of") or [competency]
    return found


def with_word_of(framework: str, before: Sequence[Said], said: Said | None) -> list[Said]:
    """With what this framework says now, in the place of what it said before; None: it no longer has it."""
    now = [said if one["framework"] == framework else one for one in before]
    if said is not None and all(one["framework"] != framework for one in before):
        now.append(said)
    return [one for one in now if one is not None]


def together(of: Sequence[Said]) -> Said | None:
    """The competency as it is told; None where no framework has it."""
    if not of:
        return None
    links = {
        name: list(dict.fromkeys(link for one in of for link in one[name]))[:MOST_LINKS]
        for name in ("parents", "prerequisites")
    }
    return {**of[0], **links}
