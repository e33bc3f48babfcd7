"""Whoever the roster calls no learner has no profile, whichever came first; and comes back when it says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.payloads import Staff
from learner_profile.learners.profiles import Status
from xapi.identifiers import provider_digest
from xapi.pseudonymise import PROVIDER_EXTENSION

from tests.integration.learner_profile.conftest import House, policy, statement


async def status(house: House, learner: str) -> str | None:
    document = await house.document(learner)
    return None if document is None else document["status"]


async def test_an_unknown_actor_is_a_learner(house: House) -> None:
    await house.policy()
    await house.statements("ada", statement(1))
    assert await status(house, "ada") == Status.OPEN


async def test_a_teacher_drops_out_of_states_and_the_rows_stay(house: House) -> None:
    await house.policy()
    await house.statements("tom", statement(1))
    await house.role("tom", "teacher", teaches_in=["class-7b"])
    document = await house.document("tom")
    assert document is not None
    assert (document["status"], document["data"]) == (Status.CLOSED, None)
    assert "outbox" in document  # the other services are told
    await house.statements("tom", statement(2))
    await house.settle()
    assert (await status(house, "tom"), await house.rows("tom")) == (Status.CLOSED, 2)


async def test_a_teacher_whom_the_roster_named_first_never_gets_a_profile(house: House) -> None:
    await house.policy()
    await house.role("tom", "teacher")
    await house.statements("tom", statement(1), statement(0))
    await house.settle()
    assert (await status(house, "tom"), await house.rows("tom")) == (Status.CLOSED, 2)


async def test_a_corrected_roster_brings_back_all_that_was_learnt(house: House) -> None:
    await house.policy()
    history = [statement(number) for number in range(3)]
    await house.statements("always", *history)
    await house.statements("ada", history[0])
    await house.role("ada", "teacher")
    await house.statements("ada", *history[1:])
    await house.role("ada", "learner", learns_in=["class-7b"])
    await house.settle()
    assert await house.state("ada") == await house.state("always")
    await house.role("ada", "teacher")
    await house.role("ada")  # no roster names her any more: she counts as a learner
    await house.settle()
    assert await house.state("ada") == await house.state("always")


async def test_whoever_learns_and_teaches_is_a_learner(house: House) -> None:
    await house.policy()
    await house.statements("ada", statement(1))
    await house.role("ada", "learner", "teacher")
    assert await status(house, "ada") == Status.OPEN


async def test_a_change_of_class_changes_no_profile(house: House) -> None:
    await house.policy()
    await house.role("ada", "learner", learns_in=["class-7a"])
    assert await status(house, "ada") is None
    await house.statements("ada", statement(1))
    before = await house.document("ada")
    await house.role("ada", "learner", learns_in=["class-7b"])
    assert await house.document("ada") == before


async def test_a_roster_opens_no_profile_that_consent_closed(house: House) -> None:
    await house.policy()
    await house.statements("ada", statement(1))
    await house.role("ada", "teacher")
    await house.decide("ada", 1, "objected")
    await house.role("ada", "learner")
    await house.settle()
    assert await status(house, "ada") == Status.CLOSED


async def test_consent_opens_no_profile_of_a_teacher(house: House) -> None:
    await house.policy()
    await house.statements("tom", statement(1))
    await house.decide("tom", 1, "objected")
    await house.role("tom", "teacher")
    await house.decide("tom", 2, "granted")
    await house.settle()
    assert await status(house, "tom") == Status.CLOSED


async def test_an_erased_person_gets_no_role_again(house: House) -> None:
    await house.policy()
    await house.role("tom", "teacher")
    await house.erase("tom")
    assert await house.views.roles.known(house.tenant, ["tom"]) == {}
    await house.role("tom", "teacher")
    assert await house.views.roles.known(house.tenant, ["tom"]) == {}


async def test_roles_of_one_tenant_are_no_ones_in_another(house: House) -> None:
    await house.policy()
    other = House.of(house.c, f"{house.tenant}-2")
    await other.policy()
    await other.role("ada", "teacher")
    await house.statements("ada", statement(1))
    assert await status(house, "ada") == Status.OPEN


class TestWhomNoRosterNames:
    """`unknown_actors` of the policy."""

    async def _rule(self, house: House, version: int, unknown_actors: str) -> None:
        found = policy().model_copy(update={"version": version, "unknown_actors": unknown_actors})
        await house.policy(found)
        await house.settle()

    async def _status(self, house: House, learner: str) -> tuple[str, int]:
        document = await house.document(learner)
        assert document is not None
        return document["status"], document["statements"]

    async def test_only_the_rostered_have_a_profile(self, house: House) -> None:
        await self._rule(house, 1, "nobody")
        await house.statements("ann", statement(1))
        await house.settle()
        assert await self._status(house, "ann") == (Status.CLOSED, 0)
        assert await house.rows("ann") == 1
        await house.role("ann", "learner")
        await house.settle()
        assert await self._status(house, "ann") == (Status.OPEN, 1)
        await house.role("ann")
        assert await self._status(house, "ann") == (Status.CLOSED, 0)

    async def test_another_rule_closes_and_opens_and_loses_nothing(self, house: House) -> None:
        await self._rule(house, 1, "learner")
        for number, one in enumerate(("ann", "tom")):
            await house.statements(one, statement(number))
        await house.role("tom", "learner")
        before = await house.state("ann")
        await self._rule(house, 2, "nobody")
        assert await self._status(house, "ann") == (Status.CLOSED, 0)
        assert await self._status(house, "tom") == (Status.OPEN, 1)
        await house.statements("ben", statement(3))
        await self._rule(house, 3, "learner")
        assert await house.state("ann") == before
        assert await self._status(house, "ben") == (Status.OPEN, 1)
        assert await house.c.db["rules"].find_one({"due": True}) is None

    async def test_who_is_known_by_another_identifier_is_no_stranger(self, house: House) -> None:
        await self._rule(house, 1, "nobody")
        await house.statements("ann", statement(1))
        await house.role("ann-by-mail", "learner")
        await house.merge("ann-by-mail", "ann")
        assert await self._status(house, "ann") == (Status.OPEN, 1)


class TestStaffByIdentifier:
    """`staff` of the policy: home pages of accounts and mail domains."""

    OFFICE, SCHOOL = "https://office.example", "https://moodle.example"

    def said(self, number: int, provider: str) -> dict[str, Any]:
        return statement(number, context={"extensions": {PROVIDER_EXTENSION: provider_digest(provider)}})

    async def rule(self, house: House, version: int, *pages: str, domains: Sequence[str] = ()) -> None:
        staff = Staff(home_pages=pages, mail_domains=tuple(domains))
        await house.policy(policy().model_copy(update={"version": version, "staff": staff}))
        await house.settle()

    async def told(self, house: House, learner: str) -> tuple[str, int]:
        document = await house.document(learner) or {}
        return document["status"], document["statements"]

    async def test_who_acts_by_a_listed_identifier_has_no_profile_and_loses_nothing(self, house: House) -> None:
        await self.rule(house, 1, f"{self.OFFICE}/", domains=["Staff.School.example"])
        await house.statements("tom", self.said(1, self.OFFICE))
        await house.statements("eva", self.said(1, "staff.school.example"))
        await house.statements("ann", self.said(1, self.SCHOOL))
        await house.statements("old", statement(2))
        for again in range(2):
            assert await self.told(house, "tom") == await self.told(house, "eva") == (Status.CLOSED, 0)
            assert await self.told(house, "ann") == await self.told(house, "old") == (Status.OPEN, 1), again
            await house.settle()
        assert await house.rows("tom") == 1

    async def test_another_list_closes_and_opens_whom_it_concerns(self, house: House) -> None:
        await self.rule(house, 1)
        await house.statements("tom", self.said(1, self.OFFICE))
        await house.statements("ann", self.said(1, self.SCHOOL))
        before = await house.state("tom")
        await self.rule(house, 2, self.OFFICE)
        assert await self.told(house, "tom") == (Status.CLOSED, 0)
        assert await self.told(house, "ann") == (Status.OPEN, 1)
        await self.rule(house, 3)
        assert await house.state("tom") == before

    async def test_a_roster_knows_better(self, house: House) -> None:
        await self.rule(house, 1, self.OFFICE)
        await house.statements("tom", self.said(1, self.OFFICE))
        await house.role("tom", "learner")
        await house.settle()
        assert await self.told(house, "tom") == (Status.OPEN, 1)
        await house.role("tom")
        await house.settle()
        assert await self.told(house, "tom") == (Status.CLOSED, 0)

    async def test_a_person_who_learns_by_another_identifier_is_a_learner(self, house: House) -> None:
        await self.rule(house, 1, self.OFFICE)
        await house.statements("tom", self.said(1, self.OFFICE))
        await house.statements("tom-learns", self.said(2, self.SCHOOL))
        await house.merge("tom-learns", "tom")
        assert await self.told(house, "tom") == (Status.OPEN, 2)
        await house.statements("tom", self.said(3, self.OFFICE))
        await house.settle()
        assert await self.told(house, "tom") == (Status.OPEN, 3)
        await house.merge("tom-learns", None, 2)
        assert await self.told(house, "tom") == (Status.CLOSED, 0)
        assert await self.told(house, "tom-learns") == (Status.OPEN, 1)

    async def test_merged_staff_stay_out_without_being_built_anew(self, house: House) -> None:
        await self.rule(house, 1, self.OFFICE)
        await house.statements("tom", self.said(1, self.OFFICE))
        await house.merge("tom-by-mail", "tom")
        await house.statements("tom-by-mail", self.said(2, self.OFFICE))
        document = await house.document("tom") or {}
        assert (document["status"], "dirty" in document) == (Status.CLOSED, False)
