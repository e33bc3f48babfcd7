"""The report pages in a real browser: sign in, drill from the nation down to a class, nothing on the console."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from learner_model import LearnerState
from playwright.async_api import ConsoleMessage, Page, Response

from tests.integration.insights.house import House, Row, learner_state, profile, row, running
from tests.support.browsing import browsing, shoot
from tests.support.serving import serve
from tests.support.tokens import Tokens


@pytest.fixture
def environment(
    mongodb_url: str, namespace: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
    monkeypatch.setenv("TRELLIS_NAMESPACE", namespace)
    for name, value in tokens.settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@dataclass
class Seen:
    """What a page said on its console, and what it fetched."""

    errors: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def response(self, response: Response) -> None:
        self.addresses.append(response.url)


async def fill(house: House) -> None:
    """Three regions with schools and classes, a small class, bands that differ, pupils who have gone quiet."""
    rows: list[Row] = []
    states: dict[str, tuple[LearnerState, float]] = {}
    kinds = [learner_state(*answers) for answers in ((0, 0, 0), (0, 1, 1), (1, 1, 1), (1, 1, 1, 1, 1, 1))]
    for place, size in _classes():
        region, school, class_ = place
        for i in range(size):
            name = f"{region}-{school}-{class_}-{i}"
            band = ["0-20 %", "20-40 %", "40-60 %", "60-80 %", "80-100 %"][(i * 7 + len(school)) % 5]
            more = {"region": region, "display_name": f"Pupil {i}", "attributes": f"deprivation band={band}"}
            rows.append(row(name, class_, school, **more))
            if i % 9:
                strength = min(3, (i + len(region)) % 3 + int(band[0] in "68"))
                states[name] = (kinds[strength], 30.0 if i % 5 == 0 else 2.0)
    rows.append(row("teacher", "7b", "Linden", role="teacher", region="Northland", display_name="T"))
    assert (await house.roster(rows)).status_code == 200
    await house.profiles({name: profile(state, days_ago=days) for name, (state, days) in states.items()})


def _classes() -> Iterator[tuple[tuple[str, str, str], int]]:
    for region, schools in {
        "Northland": ["Linden", "Grammar School at the Old Harbour Bridge"],
        "Southland": ["Oak", "Elm"],
        "Lakes": ["Shore"],
    }.items():
        for school in schools:
            for number, class_ in enumerate(("7a", "7b", "8a")):
                yield (region, school, class_), 6 if (school, class_) == ("Linden", "8a") else 14 + 3 * number
    yield ("Isles", "Reef", "7a"), 5


async def follow(page: Page, name: str) -> None:
    await page.get_by_role("table").first.get_by_role("link", name=name, exact=True).click()
    await page.wait_for_load_state()


async def test_an_analyst_drills_from_the_nation_to_a_class(
    chromium: str, environment: pytest.MonkeyPatch, tokens: Tokens, tmp_path: Path
) -> None:
    seen = Seen()
    async with running(tokens, environment) as house, serve(house.app) as url, browsing(chromium) as browser:
        await fill(house)
        page = await browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("console", seen.console)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("response", seen.response)

        await page.goto(url)
        assert page.url.startswith(f"{url}/sign-in")
        await shoot(page, "sign-in")
        await page.get_by_label("Bearer token").fill(tokens.make("authority", tenant=house.tenant))
        await page.get_by_role("button", name="Sign in").click()
        assert await page.get_by_role("heading", level=1).inner_text() == "Nation"
        assert "fewer than 10" in await page.get_by_role("main").inner_text()
        assert await page.locator("svg rect.mastery").count() >= 2
        await shoot(page, "nation")
        await page.emulate_media(color_scheme="dark")
        await shoot(page, "nation-dark")
        await page.emulate_media(color_scheme="light")

        for name in ("Southland", "Oak", "7b"):
            await follow(page, name)
            assert await page.get_by_role("heading", level=1).inner_text() == name
            await shoot(page, name)
        crumbs = page.get_by_role("navigation", name="Where you are")
        assert (await crumbs.inner_text()).split("\n") == ["Nation", "Southland", "Oak", "7b"]
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the report"

        await page.get_by_label("Reckon as of").fill("2100-01-01")
        await page.get_by_role("button", name="Show").click()
        assert "1 January 2100" in await page.get_by_role("main").inner_text()
        await crumbs.get_by_role("link", name="Nation").click()
        assert "2100" in page.url

        saved = tmp_path / "report.html"
        saved.write_text(await page.content(), encoding="utf-8")
        await page.goto(saved.as_uri())
        assert await page.locator("svg").count() >= 2

        assert seen.errors == []
        assert all(address.startswith((url, "file:", "data:")) for address in seen.addresses)


async def test_a_teacher_sees_the_own_class_by_name(
    chromium: str, environment: pytest.MonkeyPatch, tokens: Tokens
) -> None:
    seen = Seen()
    async with running(tokens, environment) as house, serve(house.app) as url, browsing(chromium) as browser:
        await fill(house)
        page = await browser.new_page(viewport={"width": 420, "height": 900})
        page.on("console", seen.console)
        teacher = tokens.make("teacher", tenant=house.tenant, learner=await house.learner("teacher"))
        await page.goto(url)
        await page.get_by_label("Bearer token").fill(teacher)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("link", name="7b").click()
        assert "Pupil 3" in await page.get_by_role("region", name="Who needs help").inner_text()
        assert await page.get_by_role("link", name="Nation").count() == 0
        await shoot(page, "teacher")
        await page.get_by_role("button", name="Sign out").click()
        assert page.url == f"{url}/sign-in"
        await page.goto(url)
        assert page.url.startswith(f"{url}/sign-in")
        assert seen.errors == []
