"""Rules, runs through four services, holds that win, and what the records of processing say of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import jwt
import pytest
import pytest_asyncio
from events.payloads import Receipt, Told
from jwt.api_jws import PyJWS
from privacy.retention.receiving import PortionReceipts
from privacy.retention.running import Running
from privacy.retention.settings import RetentionSettings
from privacy.service import SERVICE
from privacy.state import State
from service_kit.mongo import in_transaction
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, Twin, policy, privacy_worker, twins, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
RULE = {"name": "old", "reason": "kept for three years", "action": "delete", "stored_for": "P3Y"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(settings: ServiceSettings) -> AsyncIterator[dict[str, Twin]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRELLIS_ERASURE_RESEND_SECONDS", "1")
        await SERVICE.init(settings)
        async with privacy_worker(settings), twins(settings) as parts:
            yield parts


async def made(call: Caller, **parts: Any) -> str:
    await call("PUT", "/policy", "dpo", body=policy())
    answer = await call("POST", "/retention-rules", "dpo", body=RULE | parts)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def run(call: Caller, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await call("GET", f"/retention-runs/{run_id}", "operator")).json()
    return found


async def completed(call: Caller, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await until(lambda: run(call, run_id), lambda one: one["status"] == "completed")
    return found


class TestRules:
    async def test_made_changed_ended(self, call: Caller, http: object) -> None:
        rule = await made(call)
        held = (await call("GET", f"/retention-rules/{rule}", "operator")).json()
        assert (held["version"], held["active"], held["next_run_at"]) == (1, False, None)
        assert held["purposes"] == ["recommend", "teach", "insights", "profile", "record"]
        same = (await call("PUT", f"/retention-rules/{rule}", "dpo", body=RULE)).json()
        assert same["version"] == 1
        changed = await call("PUT", f"/retention-rules/{rule}?version=1", "dpo", body=RULE | {"stored_for": "P2Y"})
        assert (changed.json()["version"], changed.json()["stored_for"]) == (2, "P2Y")
        stale = await call("PUT", f"/retention-rules/{rule}?version=1", "dpo", body=RULE)
        assert stale.status_code == 409
        assert [one["id"] for one in (await call("GET", "/retention-rules", "dpo")).json()["items"]] == [rule]
        assert (await call("DELETE", f"/retention-rules/{rule}", "dpo")).status_code == 204
        assert (await call("GET", f"/retention-rules/{rule}", "dpo")).status_code == 404

    @pytest.mark.parametrize(
        "wrong",
        [
            {"stored_for": None},
            {"stored_for": "3 years"},
            {"stored_for": "P9999Y"},
            {"action": "burn"},
            {"services": []},
            {"services": ["privacy"]},
            {"verbs": ["no iri"]},
            {"every_days": 0},
            {"recipients": "burn"},
            {"unknown": 1},
        ],
    )
    async def test_what_is_no_rule(self, call: Caller, wrong: dict[str, Any]) -> None:
        await call("PUT", "/policy", "dpo", body=policy())
        assert (await call("POST", "/retention-rules", "dpo", body=RULE | wrong)).status_code == 400

    async def test_an_officer_alone_writes(self, call: Caller) -> None:
        rule = await made(call)
        for role in ("operator", "app", "learner", "teacher"):
            for method, path in (("POST", "/retention-rules"), ("PUT", f"/retention-rules/{rule}")):
                assert (await call(method, path, role, body=RULE)).status_code == 403
            assert (await call("POST", f"/retention-rules/{rule}/runs", role)).status_code == 403
        other = await call("GET", f"/retention-rules/{rule}", "dpo", tenant="another")
        assert other.status_code == 404

    async def test_no_rule_without_a_policy(self, call: Caller) -> None:
        assert (await call("POST", "/retention-rules", "dpo", body=RULE)).status_code == 404


class TestSilence:
    async def test_a_service_that_does_not_answer_is_asked_again_and_escalated(
        self, call: Caller, settings: ServiceSettings
    ) -> None:
        rule = await made(call)
        begun = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        async with connections("privacy", settings) as c:
            running = Running(State.of(c), RetentionSettings(retention_portion_seconds=0.01), 0.01, lambda: None)
            await running.turn()
            assert (await run(call, begun["id"]))["silent"] == ["insights", "recommendation"]
            await asyncio.sleep(0.05)
            await running.turn()
            flagged = await c.db["retention_portions"].find({"run": begun["id"], "sent": {"$gte": 2}}).to_list(None)
        assert len(flagged) == 16
        assert (await run(call, begun["id"]))["escalated_at"] is not None


class TestRuns:
    async def test_preview_then_run_through_all_services(self, services: dict[str, Twin], call: Caller) -> None:
        learners = [str(uuid4()) for _ in range(5)]
        for part in services.values():
            part.rows |= {(call.tenant, learner): 2 for learner in learners}
        rule = await made(call)
        preview = await call("POST", f"/retention-rules/{rule}/preview", "operator", headers={"Prefer": "wait=30"})
        assert preview.status_code == 200, preview.text
        counts = {service: {"rows": 10} for service in services}
        assert (preview.json()["counts"], preview.json()["preview"]) == (counts, True)
        assert all(len([1 for tenant, _ in part.rows if tenant == call.tenant]) == 5 for part in services.values())
        begun = await call("POST", f"/retention-rules/{rule}/runs", "dpo", body={"as_of": preview.json()["as_of"]})
        assert begun.status_code == 202
        done = await completed(call, begun.json()["id"])
        assert (done["counts"], done["portions_done"], done["silent"]) == (counts, 16, [])
        assert done["rule"]["reason"] == RULE["reason"]
        again = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        assert (await completed(call, again["id"]))["counts"] == {service: {} for service in services}
        listed = (await call("GET", f"/retention-runs?rule={rule}", "dpo")).json()["items"]
        assert [one["id"] for one in listed] == [again["id"], done["id"], preview.json()["id"]]

    async def test_an_active_rule_runs_by_itself(self, services: dict[str, Twin], call: Caller) -> None:
        rule = await made(call, active=True, services=["insights"])

        async def runs() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await call("GET", f"/retention-runs?rule={rule}", "dpo")).json()["items"]
            return found

        (one,) = await until(runs, lambda found: bool(found) and found[0]["status"] == "completed")
        assert one["started_by"] == "schedule"
        held = (await call("GET", f"/retention-rules/{rule}", "dpo")).json()
        assert held["next_run_at"] > one["started_at"]

    async def test_a_hold_on_everyone_stops_it_and_its_release_lets_it_go_on(
        self, services: dict[str, Twin], call: Caller
    ) -> None:
        rule = await made(call)
        body = {"name": "case", "reason": "a lawsuit", "everyone": True}
        hold = (await call("POST", "/legal-holds", "dpo", body=body)).json()
        assert hold["status"] == "effective"
        seen = (await call("GET", f"/legal-holds/{hold['id']}", "operator")).json()
        assert (seen["reason"], seen["status"]) == (None, "effective"), "why is the officer's to know"
        erasure = {"type": "erasure", "learner_id": str(uuid4())}
        assert (await call("POST", "/requests", "dpo", body=erasure)).status_code == 409
        begun = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        assert begun["waits_for"] == "hold"
        other = await call("POST", f"/retention-rules/{rule}/preview", "dpo", headers={"Prefer": "wait=30"})
        assert other.status_code == 200, "a preview touches nothing"
        assert (await run(call, begun["id"]))["portions_done"] == 0
        same = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        assert same["id"] == begun["id"]
        released = await call("POST", f"/legal-holds/{hold['id']}/release", "dpo")
        assert released.json()["status"] == "released"
        await completed(call, begun["id"])

    async def test_cancelled(self, services: dict[str, Twin], call: Caller) -> None:
        rule = await made(call)
        await call("POST", "/legal-holds", "dpo", body={"name": "n", "reason": "r", "everyone": True})
        begun = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        cancelled = (await call("POST", f"/retention-runs/{begun['id']}/cancel", "dpo")).json()
        assert (cancelled["status"], cancelled["waits_for"]) == ("cancelled", None)

    async def test_a_moment_to_come_is_refused(self, call: Caller) -> None:
        rule = await made(call)
        answer = await call("POST", f"/retention-rules/{rule}/runs", "dpo", body={"as_of": "2999-01-01T00:00:00Z"})
        assert answer.status_code == 400

    async def test_after_the_end_of_a_course(self, services: dict[str, Twin], call: Caller) -> None:
        rule = await made(call, stored_for=None, after_course_end="P6M", services=["ingest"])
        services["ingest"].rows[(call.tenant, str(uuid4()))] = 1
        begun = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        assert (begun["status"], begun["portions"]) == ("completed", 0)
        ends = {"items": [{"activity": "https://lms.example/course/1", "ended_on": "2020-06-30"}]}
        assert (await call("PUT", "/course-ends", "app", body=ends)).status_code == 200
        assert (await call("GET", "/course-ends", "operator")).json() == ends
        begun = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        assert (await completed(call, begun["id"]))["counts"] == {"ingest": {"rows": 1}}


class TestReports:
    async def test_the_report_is_signed_and_each_recipient_has_a_notice_of_its_own(
        self, services: dict[str, Twin], call: Caller, settings: ServiceSettings
    ) -> None:
        ingest = services["ingest"]
        ingest.rows |= {(call.tenant, str(uuid4())): 2 for _ in range(3)}
        ingest.told = [
            Told(name="ministry", purpose="record", statements=2),
            Told(name="institute", purpose="research", outcome="notice", statements=1),
        ]
        rule = await made(call, services=["ingest"], recipients="void")
        begun = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        done = await completed(call, begun["id"])
        ingest.told = []
        of = {one["name"]: (one["outcome"], one["statements"]) for one in done["recipients"]}
        assert of == {"ministry": ("pending", 6), "institute": ("notice", 3)}
        path = f"/retention-runs/{begun['id']}"

        async def issued() -> dict[str, Any]:
            got = await call("GET", f"{path}/report", "operator")
            return dict(got.json()) if got.status_code == 200 else {"earlier": []}

        first = await until(issued, lambda one: "certificate" in one)
        said = await checked(call, first["certificate"])
        assert (said["run"], said["counts"], said["status"]) == (begun["id"], {"ingest": {"rows": 6}}, "completed")
        assert said["reason"] == RULE["reason"]
        notices = (await call("GET", f"{path}/notices", "dpo")).json()["items"]
        for one in notices:
            notice = await checked(call, one["notice"])
            assert notice["dpv:hasRecipient"]["name"] == one["name"]
            others = {other["name"] for other in notices} - {one["name"]}
            assert not any(other in json.dumps(notice) for other in others)
        async with connections("privacy", settings) as c:
            handler = PortionReceipts(State.of(c), lambda: None)
            told = Told(name="ministry", purpose="record", outcome="failed", statements=6, reason="refused: 400")
            answer = Receipt(
                service="ingest",
                kind="recipients",
                request_id=begun["id"],
                recipients=[told],
                completed_at=c.clock(),
            )
            await in_transaction(c.client, lambda s: handler.answer(call.tenant, answer, s))
        anew = await until(issued, lambda one: len(one["earlier"]) == 1)
        [failed] = [one for one in (await checked(call, anew["certificate"]))["dpv:hasRecipient"] if "reason" in one]
        assert (failed["name"], failed["outcome"], failed["statements"]) == ("ministry", "failed", 6)
        assert anew["earlier"] == [first["certificate"]], "what was signed is kept"

    async def test_of_a_preview_nothing_is_signed(self, services: dict[str, Twin], call: Caller) -> None:
        rule = await made(call, services=["ingest"])
        preview = await call("POST", f"/retention-rules/{rule}/preview", "dpo", headers={"Prefer": "wait=30"})
        for path in ("report", "notices"):
            assert (await call("GET", f"/retention-runs/{preview.json()['id']}/{path}", "dpo")).status_code == 404
            assert (await call("GET", f"/retention-runs/{preview.json()['id']}/{path}", "app")).status_code == 403


class TestClosed:
    async def test_a_rule_of_a_tenant_that_is_gone_runs_no_more(self, call: Caller, settings: ServiceSettings) -> None:
        rule = await made(call)
        async with connections("privacy", settings) as c:
            closing = {"_id": call.tenant, "stage": "closed"}
            await c.db["closings"].insert_one(closing)
            await c.db["retention_rules"].update_one({"_id": rule}, {"$set": {"next_run_at": c.clock()}})
            await Running(State.of(c), RetentionSettings(), 60, lambda: None).turn()
        assert (await call("GET", f"/retention-rules/{rule}", "dpo")).json()["next_run_at"] is None
        assert (await call("GET", f"/retention-runs?rule={rule}", "dpo")).json()["items"] == []


class TestHolds:
    async def test_a_learners_hold_is_effective_once_all_know_it_and_wins(
        self, services: dict[str, Twin], call: Caller
    ) -> None:
        kept, gone = str(uuid4()), str(uuid4())
        services["ingest"].rows |= {(call.tenant, kept): 1, (call.tenant, gone): 1}
        rule = await made(call, services=["ingest"])
        body = {"name": "case", "reason": "a lawsuit", "learners": [kept]}
        hold = (await call("POST", "/legal-holds", "dpo", body=body)).json()

        async def found() -> dict[str, Any]:
            one: dict[str, Any] = (await call("GET", f"/legal-holds/{hold['id']}", "operator")).json()
            return one

        await until(found, lambda one: one["status"] == "effective")
        begun = (await call("POST", f"/retention-rules/{rule}/runs", "dpo")).json()
        done = await completed(call, begun["id"])
        assert (done["counts"], done["kept"]) == ({"ingest": {"rows": 1}}, {"ingest": {"held": 1}})
        erasure = await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": kept})
        assert erasure.status_code == 409
        assert "17(3)(e)" in erasure.text
        released = (await call("POST", f"/legal-holds/{hold['id']}/release", "dpo")).json()
        assert (released["learners"], released["count"]) == ([], 1), "a hold that is over names nobody"
        assert (await call("POST", "/requests", "dpo", body={"type": "erasure", "learner_id": kept})).status_code == 202

    async def test_an_open_inspection_wins(self, services: dict[str, Twin], call: Caller) -> None:
        learner = str(uuid4())
        services["ingest"].rows[(call.tenant, learner)] = 1
        rule = await made(call, services=["ingest"])
        made_request = await call("POST", "/requests", "dpo", body={"type": "access", "learner_id": learner})
        assert made_request.status_code == 202

        async def kept() -> dict[str, Any]:
            headers = {"Prefer": "wait=30"}
            return dict((await call("POST", f"/retention-rules/{rule}/preview", "dpo", headers=headers)).json()["kept"])

        await until(kept, lambda one: one == {"ingest": {"held": 1}})


class TestRecords:
    async def test_the_record_of_processing_names_the_time_limits(self, call: Caller) -> None:
        await made(call, active=True, services=["ingest"])
        await made(call, active=True, services=["ingest"], verbs=["https://example.org/tried"], stored_for="P1Y")
        await made(call, services=["learner_profile"])
        found = (await call("GET", "/processing", "dpo")).json()
        by_purpose = {one["purpose"]: one for one in found["activities"]}
        assert by_purpose["record"]["retention"] == "P3Y"
        limits = {(one["after"], one["what"], one["action"]) for one in by_purpose["record"]["time_limits"]}
        assert limits == {("P3Y", "everything", "delete"), ("P1Y", "verb https://example.org/tried", "delete")}
        assert by_purpose["profile"]["time_limits"] == [], "that one does not run by itself"
        assert "/purposes/record/retention" not in found["missing"]
        assert "/purposes/profile/retention" in found["missing"]

    async def test_a_consent_record_says_the_period_of_its_time(self, call: Caller) -> None:
        learner = str(uuid4())
        await call("PUT", "/policy", "dpo", body=policy(record=("consent", "denied")))
        put = f"/consents/{learner}/record"
        first = (await call("PUT", put, "app", body={"status": "granted", "notice_version": "1"})).json()
        await made_rule(call)
        second = (await call("PUT", put, "app", body={"status": "withdrawn"})).json()
        assert [await period(call, one) for one in (first, second)] == ["not stated", "P3Y"]


async def checked(call: Caller, jws: str) -> dict[str, Any]:
    """What it says, if the signature is good."""
    [key] = (await call("GET", "/certificates/keys")).json()["keys"]
    said: dict[str, Any] = json.loads(PyJWS().decode(jws, jwt.PyJWK(key), algorithms=["EdDSA"]))
    return said


async def made_rule(call: Caller) -> None:
    answer = await call("POST", "/retention-rules", "dpo", body=RULE | {"active": True, "services": ["ingest"]})
    assert answer.status_code == 201


async def period(call: Caller, decision: dict[str, Any]) -> str:
    record = (await call("GET", str(decision["receipt"]), "app")).json()["dpv:hasRecordOfActivity"]
    conditions = record["dpv:hasProcess"]["dpv:hasStorageCondition"]
    found: str = next(one["dpv:hasDuration"] for one in conditions if "dpv:hasDuration" in one)
    return found
