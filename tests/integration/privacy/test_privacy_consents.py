"""/consents, without Kafka: what a learner may decide and who may say so for whom."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

import pytest
import pytest_asyncio
from privacy.consents.repository import Consents
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASES = {
    "record": ("legal_obligation", "allowed"),
    "profile": ("public_task", "allowed"),
    "recommend": ("legitimate_interest", "denied"),
    "teach": ("contract", "allowed"),
    "research": ("consent", "denied"),
}
OBJECT = {"status": "objected"}


@pytest_asyncio.fixture(loop_scope="module")
async def learner(call: Caller) -> str:
    assert (await call("PUT", "/policy", "dpo", body=policy(**BASES))).status_code == 200
    return str(uuid4())


class TestGet:
    async def test_anonymous(self, call: Caller, learner: str) -> None:
        assert (await call("GET", f"/consents/{learner}")).status_code == 401

    @pytest.mark.parametrize("role", ["teacher", "authority", "operator", "service", "guardian"])
    async def test_missing_role(self, call: Caller, learner: str, role: str) -> None:
        assert (await call("GET", f"/consents/{learner}", role)).status_code == 403

    async def test_another_learner(self, call: Caller, learner: str) -> None:
        assert (await call("GET", f"/consents/{learner}", "learner", learner=str(uuid4()))).status_code == 403

    async def test_no_policy_yet(self, call: Caller) -> None:
        assert (await call("GET", f"/consents/{uuid4()}", "app")).status_code == 404

    async def test_no_uuid(self, call: Caller, learner: str) -> None:
        refused = await call("GET", "/consents/someone", "app")
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["parameter"] == "learner_id"

    @pytest.mark.parametrize("role", ["app", "dpo"])
    async def test_nothing_known_is_the_policys_default(self, call: Caller, learner: str, role: str) -> None:
        got = (await call("GET", f"/consents/{learner}", role)).json()
        assert set(got) == {"learner_id", "purposes"}
        assert got["learner_id"] == learner
        assert set(got["purposes"]) == {"record", "profile", "recommend", "teach", "insights", "research"}
        notice = {"version": "1", "language": "en"}
        assert got["purposes"]["profile"] == {
            "status": "allowed",
            "basis": "public_task",
            "enforcement": "effective",
            "allowed": True,
            "ask": False,
            "notice": notice,
            "objection": None,
        }
        assert got["purposes"]["research"] == {
            "status": "denied",
            "basis": "consent",
            "enforcement": "effective",
            "allowed": False,
            "ask": True,
            "notice": notice,
            "objection": None,
        }

    async def test_me(self, call: Caller, learner: str) -> None:
        mine = await call("GET", "/consents/me", "learner", learner=learner)
        assert mine.json() == (await call("GET", f"/consents/{learner}", "learner", learner=learner)).json()

    @pytest.mark.parametrize("claim", [None, "not-a-uuid"])
    async def test_me_without_a_learner(self, call: Caller, learner: str, claim: str | None) -> None:
        assert (await call("GET", "/consents/me", "learner", learner=claim)).status_code == 403


class TestPut:
    async def test_anonymous(self, call: Caller, learner: str) -> None:
        assert (await call("PUT", f"/consents/{learner}/profile", body=OBJECT)).status_code == 401

    async def test_another_learner(self, call: Caller, learner: str) -> None:
        refused = await call("PUT", f"/consents/{learner}/profile", "learner", body=OBJECT, learner=str(uuid4()))
        assert refused.status_code == 403

    async def test_other_tenant(self, call: Caller, learner: str) -> None:
        await call("PUT", "/policy", "dpo", body=policy(), tenant="elsewhere")
        await call("PUT", f"/consents/{learner}/profile", "app", body=OBJECT)
        there = await call("GET", f"/consents/{learner}", "app", tenant="elsewhere")
        assert there.json()["purposes"]["profile"]["status"] == "allowed"

    @pytest.mark.parametrize("body", [{}, {"status": "maybe"}, {"status": None}, [], "objected"])
    async def test_invalid(self, call: Caller, learner: str, body: object) -> None:
        assert (await call("PUT", f"/consents/{learner}/profile", "app", body=body)).status_code == 400

    async def test_unknown_purpose(self, call: Caller, learner: str) -> None:
        assert (await call("PUT", f"/consents/{learner}/marketing", "app", body=OBJECT)).status_code == 404

    @pytest.mark.parametrize(
        ("purpose", "known"),
        [
            ("record", set()),
            ("teach", set()),
            ("profile", {"objected"}),
            ("recommend", {"objected"}),
            ("research", {"granted", "withdrawn"}),
        ],
    )
    async def test_the_basis_knows_its_statuses(
        self, call: Caller, learner: str, purpose: str, known: set[str]
    ) -> None:
        for status in ("granted", "withdrawn", "objected"):
            answer = await call("PUT", f"/consents/{learner}/{purpose}", "app", body={"status": status})
            assert answer.status_code == (202 if status in known else 409), status

    @pytest.mark.parametrize(("purpose", "basis"), [("record", "legal obligation"), ("teach", "contract")])
    async def test_neither_applies(self, call: Caller, learner: str, purpose: str, basis: str) -> None:
        refused = await call("PUT", f"/consents/{learner}/{purpose}", "app", body=OBJECT)
        assert refused.status_code == 409
        assert basis in refused.json()["detail"]
        assert refused.json()["errors"][0]["pointer"] == "/status"

    async def test_the_notice_shown_must_be_the_one_that_holds(self, call: Caller, learner: str) -> None:
        body = {"status": "granted", "notice_version": "0"}
        refused = await call("PUT", f"/consents/{learner}/research", "app", body=body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (409, "/notice_version")
        granted = await call("PUT", f"/consents/{learner}/research", "app", body=body | {"notice_version": "1"})
        assert (granted.status_code, granted.json()["ask"]) == (202, False)

    async def test_a_new_notice_asks_again(self, call: Caller, learner: str) -> None:
        grant = {"status": "granted"}
        await call("PUT", f"/consents/{learner}/research", "app", body=grant)
        for version, ask_again, allowed in (("2", False, True), ("3", True, False)):
            changed = policy(**BASES)
            changed["purposes"]["research"]["notice"] = {"version": version, "language": "nl", "ask_again": ask_again}
            assert (await call("PUT", "/policy", "dpo", body=changed)).status_code == 200
            got = (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]["research"]
            assert (got["allowed"], got["ask"]) == (allowed, not allowed)
        again = await call("PUT", f"/consents/{learner}/research", "app", body=grant)
        assert (again.json()["allowed"], again.json()["enforcement"]) == (True, "pending")

    async def test_pending_until_acknowledged(self, call: Caller, learner: str) -> None:
        put = await call("PUT", f"/consents/{learner}/profile", "learner", body=OBJECT, learner=learner)
        assert put.status_code == 202
        told = put.json()
        assert (told.pop("learner_id"), told.pop("purpose")) == (learner, "profile")
        assert told.pop("receipt").startswith(f"/consents/{learner}/receipts/")
        assert (told["status"], told["enforcement"], told["allowed"]) == ("objected", "pending", False)
        assert told.pop("objection")["outcome"] is None
        got = (await call("GET", f"/consents/{learner}", "app")).json()["purposes"]
        assert got["profile"].pop("objection")["outcome"] is None
        assert got["profile"] == told
        assert got["insights"]["enforcement"] == "effective"

    async def test_every_change_is_kept(self, call: Caller, learner: str, settings: ServiceSettings) -> None:
        for body in ({"status": "granted", "notice": "v7", "language": "nl"}, {"status": "granted"}):
            await call("PUT", f"/consents/{learner}/research", "app", body=body)
        await call("PUT", "/consents/me/research", "learner", body={"status": "withdrawn"}, learner=learner)
        await call("DELETE", f"/consents/{learner}/research", "dpo")
        async with connections("privacy", settings) as c:
            history = await Consents(c.db).history(call.tenant, learner)
        assert [(h.status, h.by, h.version) for h in history] == [
            ("granted", "app", 1),
            ("withdrawn", "learner", 2),
            (None, "dpo", 3),
        ]
        assert history[0].details == {"notice": "v7", "language": "nl"}
        assert {h.basis for h in history} == {"consent"}


class TestDelete:
    async def test_another_learner(self, call: Caller, learner: str) -> None:
        refused = await call("DELETE", f"/consents/{learner}/profile", "learner", learner=str(uuid4()))
        assert refused.status_code == 403

    async def test_the_default_holds_again(self, call: Caller, learner: str) -> None:
        await call("PUT", "/consents/me/profile", "learner", body=OBJECT, learner=learner)
        back = await call("DELETE", "/consents/me/profile", "learner", learner=learner)
        assert (back.status_code, back.json()["status"]) == (202, "allowed")
        assert back.json()["enforcement"] == "pending"

    async def test_nothing_to_take_back(self, call: Caller, learner: str) -> None:
        back = await call("DELETE", f"/consents/{learner}/profile", "app")
        assert (back.status_code, back.json()["enforcement"]) == (202, "effective")


class TestObjection:
    UPHELD: ClassVar = {"outcome": "upheld", "grounds": "The learner's situation weighs more."}
    OVERRIDDEN: ClassVar = {"outcome": "overridden", "grounds": "The exam board needs the profile until June."}

    @pytest.mark.parametrize("role", ["learner", "app", "operator", "guardian"])
    async def test_missing_role(self, call: Caller, learner: str, role: str) -> None:
        place = f"/consents/{learner}/profile/objection"
        assert (await call("PUT", place, role, body=self.UPHELD, learner=learner)).status_code == 403

    async def test_grounds_are_needed(self, call: Caller, learner: str) -> None:
        place = f"/consents/{learner}/profile/objection"
        assert (await call("PUT", place, "dpo", body={"outcome": "upheld", "grounds": " "})).status_code == 400

    async def test_without_an_objection(self, call: Caller, learner: str) -> None:
        place = f"/consents/{learner}/profile/objection"
        assert (await call("PUT", place, "dpo", body=self.UPHELD)).status_code == 409

    async def test_upheld_it_stays_stopped(self, call: Caller, learner: str) -> None:
        await call("PUT", "/consents/me/profile", "learner", body=OBJECT, learner=learner)
        ruled = await call("PUT", f"/consents/{learner}/profile/objection", "dpo", body=self.UPHELD)
        assert (ruled.status_code, ruled.json()["status"], ruled.json()["allowed"]) == (202, "objected", False)
        assert ruled.json()["objection"]["outcome"] == "upheld"

    async def test_overridden_it_goes_on_and_the_learner_is_told_why(self, call: Caller, learner: str) -> None:
        await call("PUT", "/consents/me/profile", "learner", body=OBJECT, learner=learner)
        ruled = await call("PUT", f"/consents/{learner}/profile/objection", "dpo", body=self.OVERRIDDEN)
        assert (ruled.json()["status"], ruled.json()["allowed"], ruled.json()["enforcement"]) == (
            "allowed",
            True,
            "pending",
        )
        [record] = (await call("GET", "/consents/me/records", "learner", learner=learner)).json()
        states = [(event["@type"], event.get("dct:description")) for event in record["dpv:hasStatus"]]
        assert states == [
            ("dpv:PublicInterestObjected", None),
            ("dpv:PublicInterestOngoing", {"@type": "@json", "@value": {"grounds": self.OVERRIDDEN["grounds"]}}),
        ]
        again = await call("PUT", "/consents/me/profile", "learner", body=OBJECT, learner=learner)
        assert (again.json()["allowed"], again.json()["objection"]["outcome"]) == (False, None)

    async def test_an_officer_ends_it_with_grounds_alone(self, call: Caller, learner: str) -> None:
        await call("PUT", "/consents/me/profile", "learner", body=OBJECT, learner=learner)
        refused = await call("DELETE", f"/consents/{learner}/profile", "dpo")
        assert (refused.status_code, "GDPR 21(1)" in refused.json()["detail"]) == (409, True)
        mine = await call("DELETE", "/consents/me/profile", "learner", learner=learner)
        assert (mine.status_code, mine.json()["allowed"]) == (202, True)

    async def test_one_that_came_as_a_request_ends_with_the_request(self, call: Caller, learner: str) -> None:
        body = {"type": "objection", "learner_id": learner, "purposes": ["profile"]}
        made = (await call("POST", "/requests", "learner", body=body, learner=learner)).json()
        ruled = await call("PUT", f"/consents/{learner}/profile/objection", "dpo", body=self.OVERRIDDEN)
        assert (ruled.status_code, made["id"] in ruled.json()["detail"]) == (409, True)


class TestRecords:
    async def test_another_learner(self, call: Caller, learner: str) -> None:
        for place in ("records", f"receipts/{uuid4()}"):
            refused = await call("GET", f"/consents/{learner}/{place}", "learner", learner=str(uuid4()))
            assert refused.status_code == 403

    async def test_a_receipt_never_changes_and_the_record_grows(self, call: Caller, learner: str) -> None:
        granted = await call("PUT", f"/consents/{learner}/research", "app", body={"status": "granted", "shown": "/p1"})
        place = granted.json()["receipt"]
        receipt = await call("GET", place, "learner", learner=learner)
        assert receipt.headers["content-type"].startswith("application/ld+json")
        changed = policy(**BASES)
        changed["purposes"]["research"] |= {"description": "Another description", "retention": "P1Y"}
        await call("PUT", "/policy", "dpo", body=changed)
        await call("PUT", f"/consents/{learner}/research", "app", body={"status": "withdrawn"})
        assert (await call("GET", place, "dpo")).json() == receipt.json()
        [record] = (await call("GET", f"/consents/{learner}/records", "dpo")).json()
        assert [event["@type"] for event in record["dpv:hasConsentStatus"]] == [
            "dpv:ConsentGiven",
            "dpv:ConsentWithdrawn",
        ]
        assert record["dpv:hasProcess"]["dpv:hasPurpose"]["dct:description"] == "Another description"
        held = receipt.json()["dpv:hasRecordOfActivity"]
        assert held["@id"] == record["@id"]
        assert held["dpv:hasConsentStatus"][0]["dct:description"]["@value"] == {"shown": "/p1"}

    async def test_other_bases_get_a_notice_record(self, call: Caller, learner: str) -> None:
        body = {"version": "7", "language": "nl", "page": "/welcome"}
        made = await call("POST", f"/consents/{learner}/record/notices", "app", body=body)
        assert made.status_code == 201
        receipt = (await call("GET", made.json()["receipt"], "learner", learner=learner)).json()
        held = receipt["dpv:hasRecordOfActivity"]
        assert held["@type"] == "dpv:DataProcessingRecord"
        assert held["dpv:hasProcess"]["dpv:hasNotice"]["dct:hasVersion"] == "7"
        assert [event["@type"] for event in held["dpv:hasStatus"]] == ["dpv:NoticeCommunicated"]
        assert (await call("POST", f"/consents/{learner}/x/notices", "app", body=body)).status_code == 404
        assert (await call("POST", f"/consents/{learner}/record/notices", "learner", body=body)).status_code == 403

    async def test_an_objection_made_as_a_request_stands_in_it_too(self, call: Caller, learner: str) -> None:
        body = {"type": "objection", "learner_id": learner, "purposes": ["profile"]}
        made = await call("POST", "/requests", "dpo", body=body)
        assert made.status_code == 202, made.text
        [record] = (await call("GET", f"/consents/{learner}/records", "dpo")).json()
        said = [(e["@type"], e.get("dpv:hasOutcome"), e["dct:description"]["@value"]) for e in record["dpv:hasStatus"]]
        because = {"request": made.json()["id"]}
        assert said == [
            ("dpv:PublicInterestObjected", None, because),
            ("dpv:PublicInterestObjected", "upheld", because),
        ], "an officer who asks for it has decided on it"
