"""A teacher who sees a class by name is one entry about all its pupils."""

from __future__ import annotations

from events.payloads import Audited
from privacy.audit.subjects import learners_of

from tests.integration.insights.house import House, learner_state, profile, row

PUPILS = [f"pupil-{number}" for number in range(12)]


async def entries(house: House) -> list[tuple[Audited, set[str | None]]]:
    found = await house.connections.db["audit_entries"].find({"tenant": house.tenant}).sort("_id", 1).to_list(None)
    said = [Audited.model_validate(document["entry"]) for document in found]
    about = await learners_of(said, house.connections.sealer)
    return [(entry, set(learners)) for entry, learners in zip(said, about, strict=True)]


async def test_one_entry_for_the_whole_class_once_a_minute(house: House) -> None:
    rows = [row(name, "7a", "Linden", display_name=name) for name in PUPILS]
    await house.roster([*rows, row("teacher", "7a", "Linden", role="teacher")])
    await house.profiles({name: profile(learner_state(1, 1)) for name in PUPILS})
    teacher = await house.learner("teacher")
    [scope] = (await house.get("/reports", "teacher", learner=teacher)).json()["items"]
    for path in (f"/reports/{scope['scope']}", f"/reports/{scope['scope']}", f"/pages/{scope['scope']}"):
        assert (await house.get(path, "teacher", learner=teacher)).status_code == 200
    await house.report("nation")

    seen = [(entry, about) for entry, about in await entries(house) if entry.action == "saw"]
    (by_name, pupils), (figures, nobody) = seen
    assert (by_name.what, by_name.ground, by_name.roles) == ("report with names", "teach", ["teacher"])
    assert pupils == set((await house.learners_of(PUPILS)).values())
    assert (figures.what, figures.ground, nobody) == ("report", "insights", set())


async def test_an_imported_roster_is_a_change(house: House) -> None:
    await house.roster([row(name, "7a", "Linden") for name in PUPILS])
    assert [(e.action, e.what, e.count) for e, _ in await entries(house)] == [("changed", "rosters", len(PUPILS))]
