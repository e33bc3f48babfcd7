"""A learner's own page in a real browser: by keyboard alone, on a telephone, and nothing that axe-core finds."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from axe_playwright_python.async_playwright import Axe
from events.payloads import Audited
from playwright.async_api import Page
from privacy.audit.chaining import Chaining
from privacy.audit.handlers import AuditHandler
from privacy.audit.repository import Chain
from privacy.consents.forgotten import Forgotten
from privacy.service import SERVICE
from privacy.settings import SigningSettings
from privacy.signing import Signing
from service_kit.audit import Action, AuditEntry, Who
from service_kit.mongo import Session, ensure, in_transaction
from service_kit.runtime import Connections, connections
from service_kit.settings import ServiceSettings

from tests.support.browsing import browsing, shoot
from tests.support.serving import serve
from tests.support.tokens import Tokens

RULES = {
    "record": ("legal_obligation", "allowed"),
    "profile": ("public_task", "allowed"),
    "recommend": ("public_task", "allowed"),
    "teach": ("public_task", "allowed"),
    "insights": ("public_task", "allowed"),
    "research": ("consent", "denied"),
}
RULE = {
    "purposes": {name: {"basis": basis, "unknown": unknown} for name, (basis, unknown) in RULES.items()},
    "controller": {"name": "Linden School", "contact": "privacy@linden.example", "kind": "school"},
}


@pytest.fixture
def settings(mongodb_url: str, kafka_bootstrap: str, namespace: str, tokens: Tokens) -> Iterator[ServiceSettings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
        patch.setenv("TRELLIS_KAFKA_BOOTSTRAP", kafka_bootstrap)
        patch.setenv("TRELLIS_NAMESPACE", namespace)
        for name, value in tokens.settings.items():
            patch.setenv(name, value)
        yield ServiceSettings()


@dataclass
class Place:
    """The page, a learner with a history, and what went wrong in the browser."""

    url: str
    tenant: str
    learner: str
    tokens: Tokens
    connections: Connections
    errors: list[str] = field(default_factory=list)

    def token(self) -> str:
        return self.tokens.make("learner", tenant=self.tenant, learner=self.learner)

    async def policy(self) -> None:
        headers = self.tokens.headers("dpo", tenant=self.tenant)
        async with httpx2.AsyncClient(base_url=self.url, headers=headers) as http:
            (await http.put("/policy", json=RULE)).raise_for_status()

    async def looked(self, action: Action, what: str, role: str) -> None:
        c = self.connections
        await c.audit.record(AuditEntry(self.tenant, Who((role,), role), action, what, (self.learner,)))

    async def chain(self) -> None:
        """What has been recorded, as if it had come over Kafka."""
        c = self.connections
        chaining = Chaining(Chain(c.db), Signing(SigningSettings().signing_key, c.db), c.clock)
        found = await c.db["audit_entries"].find().sort("_id", 1).to_list(None)
        entries = [(d["_id"], Audited.model_validate(d["entry"])) for d in found]

        async def put(session: Session) -> None:
            await AuditHandler(chaining, c.sealer, Forgotten(c.db))._chained(self.tenant, entries, session)

        await in_transaction(c.client, put)

    async def sign_in(self, page: Page) -> None:
        page.on("console", lambda m: self.errors.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(f"{self.url}/my")
        await page.get_by_role("main").get_by_role("textbox").fill(self.token())
        await page.get_by_role("main").get_by_role("button").click()
        await page.locator("#choices").wait_for()


@pytest.fixture
async def place(settings: ServiceSettings, tokens: Tokens) -> AsyncIterator[Place]:
    async with connections("privacy", settings) as c:
        await ensure(c.db, SERVICE.collections)
        async with serve(SERVICE.app(settings)) as url:
            one = Place(url, f"t{secrets.token_hex(4)}", str(uuid4()), tokens, c)
            await one.policy()
            await one.looked(Action.saw, "report with names", "teacher")
            await one.looked(Action.saw, "recommendations", "app")
            await one.looked(Action.looked_up, "identities", "app")
            await one.looked(Action.changed, "consents/teach", "dpo")
            await one.chain()
            yield one


async def faults(page: Page) -> list[str]:
    """What axe-core finds, by WCAG 2.2 AA and its own best practices; the page's policy lets no script in otherwise."""
    found: dict[str, Any] = (await Axe().run(page)).response
    return [f"{v['impact']} {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found["violations"]]


async def press_until(page: Page, key: str, name: str, most: int = 60) -> None:
    """Move with the keyboard until what has the focus is called so."""
    for _ in range(most):
        await page.keyboard.press(key)
        text = await page.evaluate("(document.activeElement.textContent || document.activeElement.id || '').trim()")
        if text == name:
            return
    raise AssertionError(f"the keyboard does not reach {name}")


async def test_axe_finds_nothing(chromium: str, place: Place) -> None:
    async with browsing(chromium) as browser:
        translated = await browser.new_context(bypass_csp=True, locale="de")
        page = await translated.new_page()
        await place.sign_in(page)
        assert await page.evaluate("document.documentElement.lang") == "de"
        assert await faults(page) == []
        context = await browser.new_context(bypass_csp=True, viewport={"width": 1000, "height": 900})
        page = await context.new_page()
        await page.goto(f"{place.url}/my/sign-in")
        assert await faults(page) == []
        await shoot(page, "my-sign-in")
        await place.sign_in(page)
        assert await faults(page) == []
        await shoot(page, "my")
        await page.emulate_media(color_scheme="dark")
        assert await faults(page) == []
        await shoot(page, "my-dark")
        await page.goto(f"{place.url}/my?of={uuid4()}")
        assert await faults(page) == []


async def test_everything_with_the_keyboard_alone(chromium: str, place: Place) -> None:
    async with browsing(chromium) as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 800})
        await place.sign_in(page)
        await shoot(page, "my-telephone")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390

        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the page"
        await press_until(page, "Tab", "Yes, I agree")
        await page.keyboard.press("Enter")
        await page.get_by_role("status").filter(has_text="Your yes is kept").wait_for()
        assert await page.get_by_role("button", name="No more: I take my yes back").count() == 1

        await press_until(page, "Tab", "sure")
        await page.keyboard.press("Space")
        await press_until(page, "Tab", "Ask to be forgotten")
        await page.keyboard.press("Enter")
        await page.get_by_role("status").filter(has_text="privacy officer of your school").wait_for()
        assert "To be forgotten waits for" in await page.get_by_role("main").inner_text()
        await shoot(page, "my-asked")

        await page.get_by_role("button", name="Sign out").press("Enter")
        await page.get_by_role("heading", level=1, name="Sign in").wait_for()
        await page.goto(f"{place.url}/my")
        assert page.url == f"{place.url}/my/sign-in"
        assert place.errors == []


@pytest.mark.long
async def test_what_a_screen_reader_is_told(chromium: str, place: Place) -> None:
    async with browsing(chromium) as browser:
        page = await browser.new_page()
        await place.sign_in(page)
        names = await page.get_by_role("heading", level=2).all_inner_texts()
        assert names == [
            "What is kept, and your choices",
            "Who looked",
            "Get a copy",
            "Be forgotten",
            "What I asked for",
        ]
        for name in names:
            assert await page.get_by_role("region", name=name, exact=True).count() >= 1
        rows = await page.get_by_role("table").get_by_role("row").all_inner_texts()
        assert rows[1].endswith(
            "The privacy officer of your school changed your choice “Show me to my teachers by name”"
        )
        assert rows[-1].endswith("A teacher looked at the page of your class, with your name")
        button = page.get_by_role("button", name="Yes, I agree")
        assert await button.get_attribute("aria-describedby") == "p-research"
        assert place.errors == []
