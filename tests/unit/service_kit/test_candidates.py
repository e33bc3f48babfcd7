"""Whom a retention rule could concern, with few questions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from service_kit.candidates import FAN, merged, some_of

NAMES = [f"{number:03}" for number in range(300)]


def asked(learners: Sequence[str], concerned: set[str]) -> tuple[list[str], int]:
    """Who is found, and with how many questions."""
    questions = 0

    async def any_of(some: Sequence[str]) -> bool:
        nonlocal questions
        questions += 1
        return not concerned.isdisjoint(some)

    return asyncio.run(some_of(learners, any_of)), questions


@given(st.sets(st.sampled_from(NAMES)), st.integers(0, len(NAMES)))
def test_those_of_whom_it_holds_and_nobody_else(concerned: set[str], count: int) -> None:
    found, questions = asked(NAMES[:count], concerned)
    assert found == [one for one in NAMES[:count] if one in concerned]
    assert questions <= 1 + 4 * FAN * max(1, len(found))


def test_one_question_where_it_holds_of_nobody() -> None:
    assert asked(NAMES, set()) == ([], 1)
    assert asked([], set()) == ([], 0)


@given(st.lists(st.sets(st.sampled_from(NAMES[:40])), max_size=4), st.integers(1, 20))
def test_lists_that_were_cut_lose_nobody_when_they_are_put_together(lists: list[set[str]], limit: int) -> None:
    everyone, found, after = sorted(set().union(*lists)), list[str](), ""
    while True:
        part = merged([sorted(one for one in held if one > after)[:limit] for held in lists], limit)
        found += part.learners
        if part.reached is None:
            break
        assert part.reached > after
        after = part.reached
    assert found == everyone
