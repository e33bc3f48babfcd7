"""`POST /rosters/import`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from service_kit.consent import ConsentView
from service_kit.mongo import Session, in_transaction

from tests.integration.insights.house import House, Row, as_csv, row


def pupils(count: int, class_: str = "7b", prefix: str = "p", school: str = "North") -> list[Row]:
    return [row(f"{prefix}{i}", class_, school, display_name=f"Pupil {prefix}{i}") for i in range(count)]


async def learners_of(house: House) -> int:
    report = await house.report()
    return int(report["figures"]["learners"]["value"] or 0)


class TestImport:
    PATH = "/rosters/import"

    async def test_anonymous_is_401(self, house: House) -> None:
        assert (await house.http.post(self.PATH, content=b"")).status_code == 401

    @pytest.mark.parametrize("role", ["teacher", "authority", "app", "dpo", "learner", "service"])
    async def test_another_role_is_403(self, house: House, role: str) -> None:
        answer = await house.http.post(self.PATH, content=as_csv(pupils(1)), headers=house.bearer(role))
        assert answer.status_code == 403

    async def test_every_tenant_has_its_own_learners(self, house: House) -> None:
        other = replace(house, tenant=f"{house.tenant}-2")
        await other.policy()
        for one in (house, other):
            assert (await one.roster(pupils(2))).is_success
        members = house.connections.db["members"]
        theirs, ours = [set(await members.distinct("learner", {"tenant": one.tenant})) for one in (other, house)]
        assert (len(theirs), len(ours)) == (2, 2)
        assert theirs.isdisjoint(ours)

    async def test_wrong_rows_are_named_and_nothing_is_stored(self, house: House) -> None:
        answer = await house.roster([*pupils(12), row("x", role="head"), row("t", role="teacher")])
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert [(e["line"], e["column"]) for e in answer.json()["errors"]] == [(14, "role"), (15, "class")]
        assert await learners_of(house) == 0

    async def test_an_account_that_ingest_refuses_is_400(self, house: House) -> None:
        answer = await house.roster([row("p1", account_home_page="ht!tp:x")])
        assert answer.status_code == 400

    async def test_another_media_type_is_415(self, house: House) -> None:
        headers = house.bearer("operator") | {"Content-Type": "application/json"}
        assert (await house.http.post(self.PATH, content=b"{}", headers=headers)).status_code == 415

    async def test_a_roster_is_counted(self, house: House) -> None:
        rows = [*pupils(12), *pupils(11, "7b", "s", "South"), row("t", "7b", "North", role="teacher")]
        answer = await house.roster(rows)
        assert answer.status_code == 200
        assert answer.json() == {
            "mode": "replace",
            "rows": 24,
            "learners": 23,
            "teachers": 1,
            "classes": 2,
            "schools": 2,
            "districts": 0,
            "regions": 0,
        }
        assert await learners_of(house) == 23

    async def test_an_import_replaces_the_roster(self, house: House) -> None:
        await house.roster(pupils(20))
        await house.roster(pupils(15, prefix="q"))
        assert await learners_of(house) == 15
        assert await house.connections.db["members"].count_documents({"tenant": house.tenant}) == 15

    async def test_merging_replaces_the_accounts_named_and_keeps_the_others(self, house: House) -> None:
        await house.roster(pupils(25))
        answer = await house.roster(pupils(12, class_="8a"), mode="merge")
        assert answer.json()["learners"] == 25
        north = (await house.report())["children"][0]
        classes = {
            c["name"]: c["figures"]["learners"]["value"] for c in (await house.report(north["scope"]))["children"]
        }
        assert classes == {"7b": 13, "8a": 12}

    async def test_more_accounts_than_ingest_takes_in_one_call(self, house: House) -> None:
        assert (await house.roster(pupils(1001))).json()["learners"] == 1001

    async def test_the_same_file_twice_gives_the_same_learners(self, house: House) -> None:
        await house.roster(pupils(12))
        before = await house.connections.db["members"].distinct("learner", {"tenant": house.tenant})
        await house.roster(pupils(12))
        assert await house.connections.db["members"].distinct("learner", {"tenant": house.tenant}) == before

    async def test_of_two_at_the_same_time_one_counts_as_a_whole(self, house: House) -> None:
        await house.roster(pupils(1))
        answers = await asyncio.gather(house.roster(pupils(11)), house.roster(pupils(14, prefix="q")))
        counts = {a.json()["learners"] for a in answers if a.status_code == 200}
        assert {a.status_code for a in answers} <= {200, 409}
        assert await learners_of(house) in counts

    async def test_an_erased_learner_does_not_come_back_under_the_old_id(self, house: House) -> None:
        await house.roster(pupils(12))
        learner, view = await house.learner("p3"), ConsentView(house.connections.db)

        async def erase(session: Session) -> None:
            await view.put_erased(house.tenant, learner, session)

        await in_transaction(house.connections.client, erase)
        await house.roster(pupils(12))
        assert await house.connections.db["members"].count_documents({"learner": learner}) == 0

    async def test_names_are_not_beside_the_reports(self, house: House) -> None:
        await house.roster(pupils(12))
        assert "Pupil" not in (await house.get("/reports/nation", "authority")).text


async def test_ingest_away_is_503_and_stores_nothing(
    house: House, environment: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    await house.roster(pupils(12))
    importer = house.app.state.insights.importer
    identities = importer.identities
    environment.setattr(identities, "_url", "http://127.0.0.1:9/identities")
    answer = await house.roster(pupils(14))
    assert answer.status_code == 503
    assert "ingest" in answer.json()["detail"]
    assert "retry-after" in answer.headers
    assert await learners_of(house) == 12
