"""`GET /reports/{scope}` and `GET /stats`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.insights.house import House, learner_state, profile, row


async def filled(house: House) -> None:
    """Two schools in a region, a teacher of one class; some have responded well, some badly, some not at all."""
    rows = [
        row(f"{school}{i}", "7b", school, region="West", display_name=f"Pupil {school}{i}", attributes=f"band={i % 2}")
        for school in ("North", "South")
        for i in range(24)
    ]
    rows.append(row("teacher", "7b", "North", role="teacher", region="West", display_name="T"))
    assert (await house.roster(rows)).status_code == 200
    good, bad = learner_state(1, 1, 1, 1), learner_state(0, 0, 0, days_ago=20)
    known = {f"North{i}": profile(good) for i in range(12)}
    known |= {f"North{i}": profile(bad, days_ago=20) for i in range(12, 23)}
    known |= {f"South{i}": profile(good) for i in range(24)}
    await house.profiles(known)


async def down(house: House, *names: str) -> dict[str, Any]:
    """The report that following the links by name leads to."""
    report = await house.report()
    for name in names:
        href = next(c["href"] for c in report["children"] if c["name"] == name)
        report = (await house.get(href, "authority")).raise_for_status().json()
    return report


class TestReport:
    async def test_anonymous_is_401(self, house: House) -> None:
        assert (await house.get("/reports/nation")).status_code == 401

    @pytest.mark.parametrize("role", ["learner", "guardian", "app", "dpo", "service"])
    async def test_another_role_is_403(self, house: House, role: str) -> None:
        assert (await house.get("/reports/nation", role)).status_code == 403

    async def test_another_tenant_sees_nothing_of_this_one(self, house: House) -> None:
        await filled(house)
        scope = (await down(house, "West"))["scope"]
        other = House(house.app, house.http, house.connections, house.tokens, house.ingest_url, "other")
        await other.policy()
        assert (await other.get(f"/reports/{scope}", "operator")).status_code == 404
        assert (await other.report())["figures"]["learners"]["value"] == 0

    async def test_a_wrong_time_is_400(self, house: House) -> None:
        answer = await house.get("/reports/nation", "operator", as_of="yesterday")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/query/as_of")

    async def test_an_unknown_policy_is_503(self, house: House) -> None:
        answer = await house.http.get("/reports/nation", headers=house.tokens.headers("operator", tenant="new"))
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)

    async def test_the_links_lead_from_nation_to_class(self, house: House) -> None:
        await filled(house)
        report = await down(house, "West", "North", "7b")
        figures = report["figures"]
        assert [crumb["level"] for crumb in report["path"]] == ["nation", "region", "school", "class"]
        assert (figures["learners"]["value"], figures["active"]["value"], figures["statements"]["value"]) == (
            24,
            12,
            69,
        )
        assert figures["share_without_statement_14_days"] == {
            "value": 0.5,
            "denominator": 24,
            "counted": 24,
            "suppressed": False,
        }
        assert (figures["mean_mastery"]["counted"], figures["mean_mastery"]["denominator"]) == (23, 24)
        assert report["parent"] == report["path"][-2]["scope"]
        south = await down(house, "West", "South", "7b")
        assert south["scope"] != report["scope"]
        assert south["figures"]["mean_mastery"]["value"] > figures["mean_mastery"]["value"]

    async def test_as_of_travels_down_and_is_what_all_is_reckoned_at(self, house: House) -> None:
        await filled(house)
        report = await house.report(as_of="2100-01-01T00:00:00Z")
        assert report["as_of"] == "2100-01-01T00:00:00Z"
        assert report["figures"]["share_without_statement_14_days"]["value"] == 1.0
        assert report["children"][0]["href"].endswith("?as_of=2100-01-01T00%3A00%3A00Z")

    async def test_a_decision_counts_from_the_next_reading_on(self, house: House) -> None:
        await filled(house)
        before = (await house.report())["figures"]
        await house.decide("North0", insights="objected")
        await house.decide("North1", profile="objected")
        after = (await house.report())["figures"]
        assert after["learners"]["value"] == before["learners"]["value"] == 48
        assert after["active"]["value"] == before["active"]["value"] - 2
        assert after["mean_mastery"]["counted"] == before["mean_mastery"]["counted"] - 2

    async def test_a_teacher_sees_the_own_pupils_by_name_and_no_other_scope(self, house: House) -> None:
        await filled(house)
        teacher = await house.learner("teacher")
        own = (await house.get("/reports", "teacher", learner=teacher)).json()["items"]
        assert [item["name"] for item in own] == ["7b"]
        await house.decide("North13", teach="objected")
        await house.frameworks("maths", fractions="Fractions", angles="Angles")
        await house.frameworks("school", maths="Mathematics")
        report = (await house.get(own[0]["href"], "teacher", learner=teacher)).json()
        names = [pupil["name"] for pupil in report["pupils"]]
        assert len(names) == 23
        assert "Pupil North13" not in names
        assert report["pupils"][0]["mean_mastery"] < report["pupils"][15]["mean_mastery"]
        assert report["pupils"][0]["idle"] is True
        weakest = report["pupils"][0]["weakest"][0]
        assert (weakest["competency"], weakest["title"]) == ("fractions", "Fractions")
        [area] = report["pupils"][0]["weakest_areas"]  # and not the whole that it is a part of
        assert area["competency"] == "maths"
        assert area["mastery"] == pytest.approx(weakest["mastery"] / 2, abs=0.002)  # of its two parts one is known
        assert (names[-1], report["pupils"][-1]["mean_mastery"]) == ("Pupil North23", None)
        south = (await down(house, "West", "South", "7b"))["scope"]
        for scope in ("nation", south):
            assert (await house.get(f"/reports/{scope}", "teacher", learner=teacher)).status_code == 403

    async def test_a_pupil_whose_profile_is_stopped_is_named_without_figures(self, house: House) -> None:
        await filled(house)
        teacher = await house.learner("teacher")
        await house.decide("North0", profile="objected")
        own = (await house.get("/reports", "teacher", learner=teacher)).json()["items"]
        pupils = (await house.get(own[0]["href"], "teacher", learner=teacher)).json()["pupils"]
        found = next(p for p in pupils if p["name"] == "Pupil North0")
        assert (found["mean_mastery"], found["last_statement_at"], found["weakest"]) == (None, None, [])

    async def test_a_teacher_without_a_class_sees_nothing(self, house: House) -> None:
        await filled(house)
        assert (await house.get("/reports/nation", "teacher")).status_code == 403
        assert (await house.get("/reports", "teacher")).json() == {"items": [], "next": None}

    async def test_an_authority_sees_no_names(self, house: House) -> None:
        await filled(house)
        assert (await down(house, "West", "North", "7b"))["pupils"] is None


class TestStats:
    async def test_only_for_operators(self, house: House) -> None:
        assert (await house.get("/stats")).status_code == 401
        assert (await house.get("/stats", "authority")).status_code == 403

    async def test_counts(self, house: House) -> None:
        await filled(house)
        assert (await house.get("/stats", "operator")).json() == {"roster": 48, "states": 47, "statements": 141}


QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("members", {"tenant": "t", "version": "v", "role": "learner"}),
    ("members", {"tenant": "t", "version": {"$lt": "v"}}),
    ("members", {"tenant": "t", "learner": "l"}),
    ("states", {"tenant": "t"}),
    ("standings", {"_id": {"$gte": "t/", "$lt": "t0"}}),
]


@pytest.mark.parametrize(("collection", "query"), QUERIES)
async def test_every_query_has_its_index(house: House, collection: str, query: dict[str, Any]) -> None:
    plan = await house.connections.db.command(
        {"explain": {"find": collection, "filter": query}, "verbosity": "queryPlanner"}
    )
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
