"""A learner's own page: as data, as forms, and who may use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from events.payloads import Audited
from privacy.audit.chaining import Chaining
from privacy.audit.handlers import AuditHandler
from privacy.audit.repository import Chain
from privacy.consents.forgotten import Forgotten
from privacy.my.languages import LANGUAGES
from privacy.settings import SigningSettings
from privacy.signing import Signing
from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import in_transaction
from service_kit.runtime import connections
from service_kit.settings import ServiceSettings

from tests.integration.privacy.conftest import Caller, policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = {"research": ("consent", "denied"), "record": ("legal_obligation", "allowed")}


@pytest.fixture
def learner() -> str:
    return str(uuid4())


@pytest_asyncio.fixture(loop_scope="module")
async def ruled(call: Caller) -> Caller:
    assert (await call("PUT", "/policy", "dpo", body=policy(**RULES))).status_code == 200
    return call


class Browser:
    """Someone on the page: signed in, with cookies, sending forms from it."""

    def __init__(self, call: Caller, *roles: str, learner: str | None = None, subject: str = "tester") -> None:
        self._call = call
        self._token = call.tokens.make(*roles, tenant=call.tenant, learner=learner, subject=subject)
        self._headers = {"Cookie": f"trellis_token={self._token}", "Sec-Fetch-Site": "same-origin"}

    async def get(self, path: str = "/my", language: str = "en") -> httpx2.Response:
        return await self._call.client.get(path, headers=self._headers | {"Accept-Language": language})

    async def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> httpx2.Response:
        return await self._call.client.post(path, data=form, headers=self._headers | (headers or {}))


async def seen(settings: ServiceSettings, call: Caller, learner: str, *roles: str) -> None:
    """Someone looked; chained as if it had come over Kafka."""
    async with connections("privacy", settings) as c:
        chaining = Chaining(Chain(c.db), Signing(SigningSettings().signing_key, c.db), c.clock)
        await c.audit.record(AuditEntry(call.tenant, Who(roles, "x"), Action.saw, "profile", (learner,), "profile"))
        found = await c.db["audit_entries"].find_one_and_delete({"tenant": call.tenant})
        assert found is not None
        entries = [(found["_id"], Audited.model_validate(found["entry"]))]
        handler = AuditHandler(chaining, c.sealer, Forgotten(c.db))
        await in_transaction(c.client, lambda session: handler._chained(call.tenant, entries, session))


def by_name(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["purpose"]: one for one in view["purposes"]}


class TestAsData:
    async def test_anonymous(self, ruled: Caller, learner: str) -> None:
        assert (await ruled("GET", f"/learners/{learner}/privacy")).status_code == 401

    @pytest.mark.parametrize("role", ["teacher", "authority", "operator", "service", "guardian"])
    async def test_others(self, ruled: Caller, learner: str, role: str) -> None:
        assert (await ruled("GET", f"/learners/{learner}/privacy", role)).status_code == 403

    async def test_another_learner(self, ruled: Caller, learner: str) -> None:
        answer = await ruled("GET", f"/learners/{learner}/privacy", "learner", learner=str(uuid4()))
        assert answer.status_code == 403

    async def test_what_is_held_why_and_what_can_be_done(self, ruled: Caller, learner: str) -> None:
        found = (await ruled("GET", "/learners/me/privacy", "learner", learner=learner)).json()
        purposes = by_name(found)
        assert {name: one["can"] for name, one in purposes.items()} == {
            "record": [],
            "profile": ["object"],
            "recommend": ["object"],
            "teach": ["object"],
            "insights": ["object"],
            "research": ["grant"],
        }
        assert purposes["record"]["held"].startswith("What you did")
        assert purposes["research"]["allowed"] is False
        assert purposes["profile"]["since"] is None
        assert purposes["profile"]["rule_since"] is not None

    async def test_in_the_readers_language(self, ruled: Caller, learner: str) -> None:
        headers = {"Accept-Language": "de-AT, en;q=0.5"}
        found = await ruled("GET", "/learners/me/privacy", "learner", learner=learner, headers=headers)
        assert by_name(found.json())["record"]["held"].startswith("Was du in deinen Lern-Apps")
        assert (found.headers["Content-Language"], found.headers["Vary"]) == ("de", "Accept-Language")

    async def test_after_decisions(self, ruled: Caller, learner: str) -> None:
        await ruled("PUT", "/consents/me/research", "learner", learner=learner, body={"status": "granted"})
        await ruled("PUT", "/consents/me/teach", "learner", learner=learner, body={"status": "objected"})
        purposes = by_name((await ruled("GET", f"/learners/{learner}/privacy", "app")).json())
        assert (purposes["research"]["can"], purposes["research"]["allowed"]) == (["withdraw"], True)
        assert (purposes["teach"]["can"], purposes["teach"]["allowed"]) == (["take_back"], False)
        assert purposes["research"]["since"] is not None

    async def test_who_saw_it(self, ruled: Caller, learner: str, settings: ServiceSettings) -> None:
        await seen(settings, ruled, learner, "app")
        await seen(settings, ruled, str(uuid4()), "teacher")
        found = (await ruled("GET", f"/learners/{learner}/privacy", "learner", learner=learner)).json()
        assert [one["sentence"] for one in found["seen"]] == ["Your learning app looked at what you know and like"]

    async def test_a_guardian_with_a_link(self, ruled: Caller, learner: str) -> None:
        body = {"learner_id": learner, "guardian": "tester", "verified_by": "at the office"}
        assert (await ruled("POST", "/guardians", "dpo", body=body)).status_code == 201
        assert (await ruled("GET", f"/learners/{learner}/privacy", "guardian")).status_code == 200
        assert (await ruled("GET", f"/learners/{uuid4()}/privacy", "guardian")).status_code == 403


class TestPage:
    async def test_nobody_signed_in(self, ruled: Caller) -> None:
        answer = await ruled.client.get("/my")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/my/sign-in")

    @pytest.mark.parametrize("role", ["teacher", "operator", "dpo", "app"])
    async def test_only_learners_and_guardians_sign_in(self, ruled: Caller, role: str) -> None:
        token = ruled.tokens.make(role, tenant=ruled.tenant)
        assert (await ruled.client.post("/my/sign-in", data={"token": token})).status_code == 403

    async def test_the_cookie_is_for_this_page_alone(self, ruled: Caller, learner: str) -> None:
        token = ruled.tokens.make("learner", tenant=ruled.tenant, learner=learner)
        answer = await ruled.client.post("/my/sign-in", data={"token": token})
        cookie = answer.headers["Set-Cookie"]
        assert all(part in cookie for part in ("Path=/my", "HttpOnly", "SameSite=strict"))
        ruled.client.cookies.clear()

    async def test_grant_withdraw_object_and_take_back(self, ruled: Caller, learner: str) -> None:
        me = Browser(ruled, "learner", learner=learner)
        steps: list[tuple[str, str, str]] = [
            ("research", "grant", "granted"),
            ("research", "withdraw", "withdrawn"),
            ("teach", "object", "objected"),
            ("teach", "take_back", "allowed"),
        ]
        for purpose, act, status in steps:
            answer = await me.post(f"/my/purposes/{purpose}", act=act, notice="1")
            assert (answer.status_code, answer.headers["Location"]) == (303, f"/my?done={act}"), answer.text
            view = (await ruled("GET", f"/consents/{learner}", "dpo")).json()
            assert view["purposes"][purpose]["status"] == status

    @pytest.mark.parametrize("code", ["en", "de", "fr", "es"])
    async def test_in_the_readers_language(self, ruled: Caller, learner: str, code: str) -> None:
        me = Browser(ruled, "learner", learner=learner)
        answer = await me.get(language=code)
        assert f'<html lang="{code}">' in answer.text
        assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (code, "Accept-Language")
        for text in ("choices", "seen", "get_copy", "forget", "asked", "nothing_yet"):
            assert LANGUAGES[code].texts[text] in answer.text
        today = LANGUAGES[code].day(datetime.now(UTC))
        assert LANGUAGES[code].texts["by_default"].format(day=today) in answer.text

    async def test_a_notice_that_has_changed_meanwhile_is_shown_again(self, ruled: Caller, learner: str) -> None:
        answer = await Browser(ruled, "learner", learner=learner).post("/my/purposes/research", act="grant", notice="0")
        assert answer.status_code == 409
        assert "That did not work" in answer.text

    async def test_a_form_of_another_site_changes_nothing(self, ruled: Caller, learner: str) -> None:
        me, elsewhere = Browser(ruled, "learner", learner=learner), {"Sec-Fetch-Site": "cross-site"}
        answer = await me.post("/my/purposes/research", elsewhere, act="grant", notice="1")
        assert answer.status_code == 403
        assert (await me.post("/my/requests", elsewhere, type="erasure", sure="true")).status_code == 403
        assert by_name((await ruled("GET", f"/learners/{learner}/privacy", "dpo")).json())["research"]["since"] is None

    async def test_erasure_is_asked_for_once_the_box_is_ticked(self, ruled: Caller, learner: str) -> None:
        me = Browser(ruled, "learner", learner=learner)
        assert (await me.post("/my/requests", type="erasure")).status_code == 400
        assert (await me.post("/my/requests", type="erasure", sure="true")).status_code == 303
        assert "waits for the privacy officer" in (await me.get()).text
        kinds = [one["type"] for one in (await ruled("GET", f"/learners/{learner}/privacy", "dpo")).json()["requests"]]
        assert kinds == ["erasure"]

    async def test_a_copy_is_asked_for(self, ruled: Caller, learner: str) -> None:
        me = Browser(ruled, "learner", learner=learner)
        assert (await me.post("/my/requests", type="access")).headers["Location"] == "/my?done=access"
        assert "A copy of everything" in (await me.get()).text
        assert (await me.post("/my/requests", type="rectification")).status_code == 400

    async def test_nobody_acts_for_another_learner(self, ruled: Caller, learner: str) -> None:
        other, me = str(uuid4()), Browser(ruled, "learner", learner=learner)
        assert (await me.get(f"/my?of={other}")).status_code == 403
        assert (await me.post("/my/purposes/research", act="grant", notice="1", of=other)).status_code == 403
        assert (await me.post("/my/requests", type="erasure", sure="true", of=other)).status_code == 403
        assert (await me.post(f"/my/requests/{uuid4()}/archive")).status_code == 404

    async def test_an_objection_that_was_overridden_was_a_decision(self, ruled: Caller, learner: str) -> None:
        me = Browser(ruled, "learner", learner=learner)
        undecided = (await me.get()).text.count("you have not decided anything yet")
        await me.post("/my/purposes/teach", act="object", notice="1")
        body = {"outcome": "overridden", "grounds": "The exams."}
        assert (await ruled("PUT", f"/consents/{learner}/teach/objection", "dpo", body=body)).status_code == 202
        page = (await me.get()).text
        assert page.count("you have not decided anything yet") == undecided - 1
        assert "you said that you do not want it" in page

    async def test_a_guardian_acts_for_the_child(self, ruled: Caller, learner: str) -> None:
        guardian = Browser(ruled, "guardian")
        assert "not linked" in (await guardian.get()).text
        body = {"learner_id": learner, "guardian": "tester", "verified_by": "at the office"}
        await ruled("POST", "/guardians", "dpo", body=body)
        assert f"/my?of={learner}" in (await guardian.get()).text
        assert "your child" in (await guardian.get(f"/my?of={learner}")).text
        answer = await guardian.post("/my/purposes/teach", act="object", notice="1", of=learner)
        assert answer.headers["Location"] == f"/my?done=object&of={learner}"

    async def test_what_the_policy_says_is_text(self, ruled: Caller, learner: str) -> None:
        changed = policy(**RULES)
        changed["purposes"]["research"]["description"] = "<script>alert(1)</script>"
        await ruled("PUT", "/policy", "dpo", body=changed)
        text = (await Browser(ruled, "learner", learner=learner).get()).text
        assert "<script>" not in text
        assert "&lt;script&gt;" in text


LONG_WORDS = re.compile(r"[A-Za-z]{14,}")


async def test_the_words_are_ones_that_children_know(ruled: Caller, learner: str) -> None:
    text = (await Browser(ruled, "learner", learner=learner).get()).text
    plain = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    lawyers: Callable[[str], list[str]] = re.compile(
        r"lawful|basis|process(?:ed|ing)|controller|subject|pseudonym|legitimate|consent|withdraw", re.IGNORECASE
    ).findall
    assert (lawyers(plain), LONG_WORDS.findall(plain)) == ([], [])
