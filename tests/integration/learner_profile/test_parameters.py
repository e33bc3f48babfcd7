"""Versions of the parameters: trained from what is allowed, published, folded with by the time of storing."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from events import topics
from events.payloads import ModelParameters
from learner_model.additive.weights import Parameters, decode_parameters
from learner_model.folded import Folded, pack
from learner_model.state import encode
from learner_model.versions import builtin
from learner_profile.learners.profiles import Profile
from learner_profile.parameters.handlers import ParametersHandler
from learner_profile.parameters.publishing import ParametersSource
from learner_profile.parameters.repository import PARAMETERS, ParametersRepository, cut
from learner_profile.parameters.shelf import AHEAD, Shelf
from learner_profile.parameters.training import Training
from learner_profile.settings import TrainingSettings
from msgspec.structs import replace
from service_kit.leases import Leases
from service_kit.mongo import in_transaction

from tests.integration.learner_profile.conftest import START, House, statement

FEW = TrainingSettings(training_least_answers=100, parameters_kept_days=1)


def training(house: House, at: datetime, settings: TrainingSettings = FEW) -> Training:
    parameters, leases = ParametersRepository(house.c.db), Leases(house.c.db, f"train-{house.tenant}", 1)
    return Training(house.c.client, house.views, parameters, leases, lambda: at, settings, lambda: None)


async def put(house: House, parameters: Parameters, since: datetime) -> None:
    parts = cut(parameters.version, since, 1, parameters.encode())
    repository = ParametersRepository(house.c.db)

    async def body(session: Any) -> None:
        await repository.put(house.tenant, parts, session, publish=True)

    await in_transaction(house.c.client, body)


def other(number: float) -> Parameters:
    """A version that tells otherwise than the one that comes with the library."""
    return builtin().centred(number, 0.0)


async def answers(house: House, learners: int, each: int = 25) -> None:
    for learner in range(learners):
        await house.statements(f"l{learner}", *[statement(number) for number in range(each)])


class TestTraining:
    async def test_it_learns_from_those_who_allow_it_and_from_when_it_is_known_to_all(self, house: House) -> None:
        await house.policy()
        await answers(house, 6)
        await house.decide("l5", 1, "objected")
        now = START + timedelta(days=3)
        made = await training(house, now).tenant(house.tenant)
        assert made is not None
        assert (made.since, made.answers) == (now + AHEAD, 125)
        data = await ParametersRepository(house.c.db).load(house.tenant, made.version)
        assert data is not None
        assert decode_parameters(data).version == made.version
        assert await training(house, now + timedelta(hours=1)).tenant(house.tenant) is None

    async def test_few_answers_make_no_version(self, house: House) -> None:
        await house.policy()
        await answers(house, 2)
        assert await training(house, START).tenant(house.tenant) is None

    async def test_a_version_leaves_when_no_evidence_needs_it(self, house: House) -> None:
        await house.policy()
        await house.statements("l", statement(1), statement(2))
        old, needed, last = (START + timedelta(days=d) for d in (-9, -5, 40))
        for number, since in enumerate((old, needed, last)):
            await put(house, other(float(number)), since)
        keeper = training(house, START + timedelta(days=60))
        await keeper.tenant(house.tenant)
        left = await ParametersRepository(house.c.db).versions(house.tenant)
        assert [one.since for one in left] == [needed, last]
        flagged = house.c.db[PARAMETERS.name].find({"tenant": house.tenant, "retired": True})
        (tombstone,) = await ParametersSource().messages(await flagged.to_list(None))
        assert tombstone.payload is None
        assert tombstone.record_key.startswith(f"{house.tenant}/{other(0.0).version}/".encode())


class TestFolding:
    async def test_each_piece_of_evidence_takes_the_version_of_its_time_live_and_when_built_anew(
        self, house: House
    ) -> None:
        await house.policy()
        history = [statement(number) for number in range(12)]  # stored an hour later, a minute apart
        await put(house, other(0.5), START + timedelta(hours=1, minutes=4))
        await put(house, other(-0.5), START + timedelta(hours=1, minutes=8))
        await house.statements("live", *history[:6])
        await house.statements("live", *history[6:])
        await house.statements("late", *history[6:], *history[:2])
        await house.statements("late", *history[2:6])
        await house.settle()
        profiles = await house.views.learners.load(house.tenant, ["live", "late"])
        live, late = (packed(profiles[name]) for name in ("live", "late"))
        assert live == late
        await house.views.learners.mark_dirty(house.tenant, ["live"])
        await house.settle()
        assert packed((await house.views.learners.load(house.tenant, ["live"]))["live"]) == live

    async def test_another_version_gives_another_state_and_erasing_one_learner_changes_no_other(
        self, house: House
    ) -> None:
        await house.policy()
        await house.statements("before", statement(1))
        await put(house, other(0.5), START)
        house.views.shelf._versions.clear()  # as after the time for which they are kept
        await house.statements("after", statement(1))
        before, after = [
            packed((await house.views.learners.load(house.tenant, [one]))[one]) for one in ("before", "after")
        ]
        assert before != after
        await house.erase("before")
        assert packed((await house.views.learners.load(house.tenant, ["after"]))["after"]) == after

    async def test_many_versions_take_turns_in_little_room(self, house: House) -> None:
        shelf = Shelf(ParametersRepository(house.c.db))
        versions = [other(float(number)) for number in range(4)]
        for number, one in enumerate(versions):
            await put(house, one, START + timedelta(days=number))
        times = [START + timedelta(days=number, hours=1) for number in range(4)]
        folder = await shelf.folder(house.tenant, times)
        for at, one in [*zip(times, versions, strict=True), (times[0], versions[0])]:
            assert folder.versions.of(at).hyper.tolist() == one.hyper.tolist()
        assert len(shelf._spread) == 2


class TestFromKafka:
    async def test_a_database_that_begins_anew_gets_them_back_and_tombstones_remove(self, house: House) -> None:
        parts = cut(other(1.0).version, START, 7, other(1.0).encode())
        handler = ParametersHandler(ParametersRepository(house.c.db))
        key = f"{parts[0].version}/20260301T080000Z/0"
        await house.run(handler.handle, house.message(topics.PARAMETERS, key, parts[0]))
        await house.run(handler.handle, house.message(topics.PARAMETERS, key, parts[0]))
        (held,) = await ParametersRepository(house.c.db).versions(house.tenant)
        assert (held.version, held.since, held.answers) == (parts[0].version, START, 7)
        await house.run(handler.handle, house.message(topics.PARAMETERS, key, None))
        assert await ParametersRepository(house.c.db).versions(house.tenant) == []

    def test_a_version_survives_its_parts(self) -> None:
        data = bytes(range(256)) * 5000
        parts = cut("0" * 16, START, 1, data)
        read = [ModelParameters.model_validate_json(one.model_dump_json()) for one in parts]
        assert len(parts) == 3
        assert b"".join(one.weights for one in read) == data


class TestAnOlderModel:
    async def test_its_state_serves_until_it_is_built_anew(self, house: House) -> None:
        await house.policy()
        await house.statements("l", statement(1))
        [profile] = (await house.views.learners.load(house.tenant, ["l"])).values()
        assert profile.folded is not None
        assert profile.state is not None
        old = dataclasses.replace(profile.state, model=1)
        older = replace(profile, folded=Folded(encode(old)))

        async def body(session: Any) -> None:
            await house.views.learners.save([older], session)

        await in_transaction(house.c.client, body)
        [served] = (await house.views.learners.load(house.tenant, ["l"])).values()
        assert served.state is not None
        assert encode(served.state) == encode(old)
        await house.statements("l", statement(2))
        [waiting] = (await house.views.learners.load(house.tenant, ["l"])).values()
        assert waiting.dirty
        assert waiting.state == served.state
        await house.settle()
        [anew] = (await house.views.learners.load(house.tenant, ["l"])).values()
        assert anew.folded is not None
        assert anew.folded.current
        assert anew.statements == 2


def packed(profile: Profile) -> bytes:
    assert profile.folded is not None
    return pack(profile.folded)
