"""Contesting, confirming, overriding: who may, what it does to the fold, and that the history keeps it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest
from events.payloads import Basis, PurposePolicy, Unknown

from tests.integration.learner_profile.conftest import WHY, Class, House, policy, statement, voiding

Json = dict[str, Any]


async def alone(room: Class, *found: Json) -> bytes:
    """The state of someone who has only these."""
    other = str(uuid4())
    await room.house.statements(other, *found)
    return (await room.house.state(other))[0]


class TestWho:
    async def test_anonymous(self, room: Class) -> None:
        for act in ("contest", "confirm", "override"):
            path = f"/learners/{room.learner}/evidence/{room.wrong['id']}/{act}"
            assert (await room.client.post(path, json=WHY)).status_code == 401

    @pytest.mark.parametrize("role", ["app", "dpo", "operator", "authority", "guardian"])
    async def test_wrong_role(self, room: Class, role: str) -> None:
        for act in ("contest", "confirm", "override"):
            assert (await room.judge(act, role, room.learner)).status_code == 403

    async def test_a_learner_contests_the_own_evidence_and_decides_nothing(self, room: Class) -> None:
        assert (await room.judge("contest", "learner", str(uuid4()))).status_code == 403
        assert (await room.judge("confirm", "learner", room.learner)).status_code == 403
        assert (await room.judge("override", "learner", room.learner)).status_code == 403

    async def test_a_teacher_decides_and_sees_in_the_own_classes_alone(self, room: Class) -> None:
        elsewhere = str(uuid4())
        await room.house.role(elsewhere, "teacher", teaches_in=["class-7c"])
        for path in ("", "/timeline"):
            assert (await room.call("GET", path, "teacher", elsewhere)).status_code == 403
            assert (await room.call("GET", path, "teacher")).status_code == 403
            assert (await room.call("GET", path, "teacher", room.teacher)).status_code == 200
        assert (await room.judge("confirm", "teacher", elsewhere)).status_code == 403
        assert (await room.judge("override", "teacher", None)).status_code == 403
        assert (await room.judge("contest", "teacher", room.teacher)).status_code == 403

    async def test_where_teach_is_not_allowed_no_teacher_sees(self, room: Class) -> None:
        allowed = PurposePolicy(basis=Basis.public_task, unknown=Unknown.allowed)
        stopped = policy().model_copy(update={"version": 2, "purposes": {"profile": allowed}})
        await room.house.policy(stopped)
        assert (await room.call("GET", "", "teacher", room.teacher)).status_code == 403
        assert (await room.call("GET", "", "learner", room.learner)).status_code == 200

    async def test_other_tenant(self, room: Class) -> None:
        other = House.of(room.house.c, f"{room.house.tenant}-2")
        await other.policy()
        headers = room.tokens.headers("learner", tenant=other.tenant, learner=room.learner)
        path = f"/learners/{room.learner}/evidence/{room.wrong['id']}/contest"
        assert (await room.client.post(path, json=WHY, headers=headers)).status_code == 404

    @pytest.mark.parametrize(
        "body", [{}, {"reason": " "}, {"reason": "x" * 1001}, {**WHY, "correctness": 2}, {**WHY, "by": "me"}]
    )
    async def test_invalid(self, room: Class, body: Json) -> None:
        assert (await room.judge("override", "teacher", room.teacher, body)).status_code == 400

    async def test_what_is_not_there_or_voided(self, room: Class) -> None:
        path = f"/evidence/{uuid4()}/contest"
        assert (await room.call("POST", path, "learner", room.learner, json=WHY)).status_code == 404
        await room.house.statements(room.learner, voiding(room.wrong["id"]))
        assert (await room.judge("contest", "learner", room.learner)).status_code == 404


class TestFold:
    async def test_what_is_contested_is_set_aside_until_a_teacher_confirms_it(self, room: Class) -> None:
        before, whole = await room.probability(), await room.house.state(room.learner)
        answer = await room.judge("contest", "learner", room.learner)
        assert (answer.status_code, answer.json()["flags"]) == (200, ["set_aside"])
        assert await room.probability() > before
        assert (await room.judge("confirm", "teacher", room.teacher)).status_code == 200
        assert await room.probability() == before
        assert (await room.house.state(room.learner))[0] == whole[0]

    async def test_after_a_decision_another_contest_is_heard_and_sets_nothing_aside(self, room: Class) -> None:
        await room.judge("confirm", "teacher", room.teacher)
        before = await room.probability()
        assert (await room.judge("contest", "learner", room.learner)).json()["flags"] == []
        assert await room.probability() == before

    async def test_an_override_counts_as_if_the_statement_had_said_so(self, room: Class) -> None:
        await room.judge("override", "teacher", room.teacher, {**WHY, "correctness": 0.7})
        await room.house.settle()
        mended = {**room.wrong, "result": {**room.wrong["result"], "score": {"scaled": 0.7}}}
        assert (await room.house.state(room.learner))[0] == await alone(room, room.right, mended, room.last)

    async def test_an_override_without_a_result_lets_it_not_count(self, room: Class) -> None:
        before = await room.probability()
        await room.judge("override", "teacher", room.teacher)
        assert await room.probability() > before
        assert (await room.item())["flags"] == ["set_aside", "overridden"]

    async def test_what_says_nothing_of_being_right_can_only_be_left_out(self, room: Class) -> None:
        seen = statement(12, result={}, verb={"id": "http://adlnet.gov/expapi/verbs/experienced"})
        await room.house.statements(room.learner, seen)
        path = f"/evidence/{seen['id']}/override"
        right = await room.call("POST", path, "teacher", room.teacher, json={**WHY, "correctness": 1})
        assert (right.status_code, right.json()["errors"][0]["pointer"]) == (400, "/correctness")
        out = await room.call("POST", path, "teacher", room.teacher, json=WHY)
        assert (out.status_code, out.json()["flags"]) == (200, ["set_aside", "overridden"])

    async def test_what_is_set_aside_is_still_told_as_it_came(self, room: Class) -> None:
        told = (await room.judge("contest", "learner", room.learner)).json()
        assert (told["kind"], told["outcome"], told["correctness"]) == ("response", "failed", 0.0)


class TestHistory:
    async def test_all_that_was_said_stays_with_its_reasons(self, room: Class) -> None:
        await room.judge("contest", "learner", room.learner)
        await room.judge("override", "teacher", room.teacher, {"reason": "She explained it to me", "correctness": 1})
        found = await room.item()
        assert [(one["act"], one["by"], one["reason"], one["correctness"]) for one in found["judgements"]] == [
            ("contested", "learner", WHY["reason"], None),
            ("overridden", "teacher", "She explained it to me", 1.0),
        ]
        assert (found["correctness"], found["outcome"]) == (0.0, "succeeded")

    async def test_each_is_in_the_audit_and_the_reasons_are_not(self, room: Class) -> None:
        await room.judge("contest", "learner", room.learner)
        await room.judge("confirm", "teacher", room.teacher)
        entries = await room.house.c.db["audit_entries"].find({"tenant": room.house.tenant}).to_list(None)
        what = [(one["entry"]["what"], one["entry"]["roles"]) for one in entries if one["entry"]["action"] == "changed"]
        assert what == [("evidence/contested", ["learner"]), ("evidence/confirmed", ["teacher"])]
        assert "projector" not in str(entries)

    async def test_there_is_an_end_to_it_and_a_teacher_decides_all_the_same(self, room: Class) -> None:
        said = [{"reason": f"Not mine, said {n} times"} for n in range(21)]
        for one in said[:-1]:
            assert (await room.judge("contest", "learner", room.learner, one)).status_code == 200
        assert (await room.judge("contest", "learner", room.learner, said[-1])).status_code == 409
        assert (await room.judge("confirm", "teacher", room.teacher)).json()["flags"] == []

    async def test_what_is_said_twice_stands_once(self, room: Class) -> None:
        for _ in range(2):
            answer = await room.judge("contest", "learner", room.learner)
            assert (answer.status_code, len(answer.json()["judgements"])) == (200, 1)

    async def test_a_voiding_takes_it_along(self, room: Class) -> None:
        await room.judge("contest", "learner", room.learner)
        await room.house.statements(room.learner, voiding(room.wrong["id"]))
        row = await room.house.c.db["evidence"].find_one(
            {"_id": f"{room.house.tenant}/{room.learner}/{room.wrong['id']}"}
        )
        assert row is not None
        assert "judgements" not in row

    async def test_as_me(self, room: Class) -> None:
        headers = room.tokens.headers("learner", tenant=room.house.tenant, learner=room.learner)
        path = f"/learners/me/evidence/{room.wrong['id']}/contest"
        assert (await room.client.post(path, json=WHY, headers=headers)).json()["flags"] == ["set_aside"]


class TestContests:
    """GET /contests"""

    async def get(self, room: Class, role: str, as_: str | None, **params: Any) -> httpx2.Response:
        headers = room.tokens.headers(role, tenant=room.house.tenant, learner=as_)
        return await room.client.get("/contests", headers=headers, params=params)

    async def test_who_may(self, room: Class) -> None:
        assert (await room.client.get("/contests")).status_code == 401
        for role in ("learner", "app", "operator", "dpo"):
            assert (await self.get(room, role, room.teacher)).status_code == 403

    async def test_a_teacher_sees_what_waits_in_the_own_classes_until_it_is_decided(self, room: Class) -> None:
        await room.judge("contest", "learner", room.learner)
        elsewhere = str(uuid4())
        await room.house.role(elsewhere, "teacher", teaches_in=["class-7c"])
        for stranger in (elsewhere, None, room.learner):
            assert (await self.get(room, "teacher", stranger)).json()["items"] == []
        (item,) = (await self.get(room, "teacher", room.teacher)).json()["items"]
        assert (item["learner_id"], item["evidence"]["statement_id"]) == (room.learner, room.wrong["id"])
        assert item["evidence"]["judgements"][0]["reason"] == WHY["reason"]
        await room.judge("confirm", "teacher", room.teacher)
        assert (await self.get(room, "teacher", room.teacher)).json() == {"items": [], "next": None}
        await room.judge("contest", "learner", room.learner)  # it is heard again, although nothing is set aside
        assert len((await self.get(room, "teacher", room.teacher)).json()["items"]) == 1

    async def test_by_pages_each_once(self, room: Class) -> None:
        for one in (room.right, room.wrong, room.last):
            path = f"/evidence/{one['id']}/contest"
            await room.call("POST", path, "learner", room.learner, json=WHY)
        first = (await self.get(room, "teacher", room.teacher, limit=2)).json()
        rest = (await self.get(room, "teacher", room.teacher, limit=2, cursor=first["next"])).json()
        found = [one["evidence"]["statement_id"] for one in [*first["items"], *rest["items"]]]
        assert sorted(found) == sorted(one["id"] for one in (room.right, room.wrong, room.last))
        assert rest["next"] is None

    async def test_who_objected_is_not_shown(self, room: Class) -> None:
        await room.judge("contest", "learner", room.learner)
        await room.house.decide(room.learner, 1, "objected")
        assert (await self.get(room, "teacher", room.teacher)).json()["items"] == []
