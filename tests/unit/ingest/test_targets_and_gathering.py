"""Whose keys a targeting statement has; many callers, one call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.gathering import Gathering, NotBegun
from ingest.statements.targets import MOST_KEYS, inherited
from service_kit.mongo import MongoAway

NODES = st.integers(0, 7).map(str)


class TestInherited:
    @given(st.dictionaries(NODES, NODES), st.dictionaries(NODES, st.lists(st.binary(min_size=1, max_size=2))))
    def test_a_statement_has_the_keys_of_all_that_it_leads_to(
        self, targets: dict[str, str], held: dict[str, list[bytes]]
    ) -> None:
        found = inherited(held, targets)
        assert found.keys() == targets.keys()
        for start in targets:
            reached, one = {start}, targets.get(start)
            while one is not None and one not in reached:
                reached.add(one)
                one = targets.get(one)
            assert set(found[start]) == {key for node in reached for key in held.get(node, ())}
            assert len(set(found[start])) == len(found[start])

    def test_long_chains_are_bounded_and_cheap(self) -> None:
        held = {str(n): [f"own {n}".encode(), b"verb"] for n in range(2_000)}
        found = inherited(held, {str(n): str(n + 1) for n in range(2_000)})
        assert max(len(keys) for keys in found.values()) == MOST_KEYS
        assert all(held[one][0] in keys for one, keys in found.items())


class TestGathering:
    async def test_who_comes_while_one_is_served_shares_the_next(self) -> None:
        calls: list[list[int]] = []

        async def double(items: Sequence[int]) -> list[int | Exception]:
            calls.append(list(items))
            await asyncio.sleep(0.01)
            return [2 * item for item in items]

        gathering = Gathering(double, most_a_call=4)
        assert await asyncio.gather(*(gathering(n) for n in range(10))) == [2 * n for n in range(10)]
        assert [len(call) for call in calls] == [4, 4, 2]

    async def test_each_has_an_answer_of_its_own(self) -> None:
        async def some(items: Sequence[int]) -> list[int | Exception]:
            return [ValueError(item) if item % 2 else item for item in items]

        gathering = Gathering(some)
        found = await asyncio.gather(*(gathering(n) for n in range(4)), return_exceptions=True)
        assert [type(one) for one in found] == [int, ValueError, int, ValueError]

    async def test_what_fails_fails_for_all_and_the_next_goes_on(self) -> None:
        async def fail(items: Sequence[int]) -> list[int | Exception]:
            raise KeyError(items[0])

        gathering = Gathering(fail)
        for _ in range(2):
            found = await asyncio.gather(*(gathering(n) for n in range(3)), return_exceptions=True)
            assert all(isinstance(one, KeyError) for one in found)

    async def test_nobody_waits_for_ever_and_not_too_many_wait(self) -> None:
        served = asyncio.Event()

        async def stuck(items: Sequence[int]) -> list[int | Exception]:
            await served.wait()
            return list(items)

        gathering = Gathering(stuck, most_waiting=2, patience_seconds=0.05)
        first = asyncio.create_task(gathering(0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = await asyncio.gather(*(gathering(n) for n in range(1, 4)), return_exceptions=True)
        assert all(isinstance(one, NotBegun) for one in found)
        with pytest.raises(MongoAway) as unsure:
            await first
        assert not isinstance(unsure.value, NotBegun)
        served.set()
        await asyncio.sleep(0.01)
        assert await gathering(5) == 5
