"""What a language is to an explanation: every sentence it needs, in words that a child of twelve knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counted:
    """A sentence about one thing, and about several."""

    one: str
    more: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done to the number; `{points}`: by how many of 100."""

    raised: str
    lowered: str
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """`code` is its BCP 47 tag, `decimal` its decimal sign; `one`: the counts that take the singular (CLDR).

    In the sentences `{moved}` stands for what one thing did to the number, `{all_moved}` for what several did;
    `{points}` is of 100; `{title}`: of a competency; `{count}`, `{known}`: how many.
    """

    code: str
    decimal: str
    one: frozenset[int]
    moved: Moved
    all_moved: Moved

    start: str
    general: str
    lately: str
    time: str
    own: Counted
    above: str

    parts: Counted
    all_known: Counted
    some_known: Counted
    own_part: Counted
    part: str

    number: str
    rough: str

    right: str
    partly: str
    wrong: str
    group: str
    seen: str
    to: str
    at: str
    corrected: str
    confirmed: str

    contested: str
    left_out: str
    whole: str
    several: str

    holds: str
    disputed: str
    lapsed: str
    set_aside: str
    counts_again: str
