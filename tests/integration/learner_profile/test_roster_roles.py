"""Whoever the roster calls no learner has no profile, whichever came first; and comes back when it says otherwise."""

from __future__ import annotations

from learner_profile.learners.profiles import Status

from tests.integration.learner_profile.conftest import House, statement


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
