"""What the demo tells of the class: three learners, an objection, an erasure, the equity report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devstack.demo.house import House, good, until
from devstack.demo.played import Person, Played, mastered
from devstack.demo.screen import Screen
from devstack.issuer import Issuer

NEXT = 3
CHILDREN_SHOWN = 6


async def learners(house: House, screen: Screen, played: Played) -> None:
    """What each had mastered, has mastered now, and may do next."""
    for person in played.people:
        screen.heading(f"{person.name} ({person.about})")
        now = mastered(await house.profile(person.learner_id, as_of=played.as_of))
        screen.line(f"  mastered ({played.beginning} → now): {_listed(person.before)} → {_listed(now)}")
        screen.line("  next:")
        for item in await house.recommendations(person.learner_id, limit=NEXT, as_of=played.as_of):
            screen.line(f"    {item['activity']['title']}, because {item['because']}")


async def objection(house: House, screen: Screen, person: Person) -> None:
    """The learner objects to being profiled; the demo's policy rests that on a public task (GDPR 21(1))."""
    screen.heading(f"{person.name} objects to being profiled")
    started = time.perf_counter()
    path = f"/consents/{person.learner_id}"
    good(await house.ask("PUT", "privacy", f"{path}/profile", json={"status": "objected"}))

    async def effective() -> bool:
        state = await house.get("privacy", path)
        return bool(state["purposes"]["profile"]["enforcement"] == "effective")

    await until(effective, "the objection to take effect")
    seconds = time.perf_counter() - started
    profile = await house.ask("GET", "learner_profile", f"/learners/{person.learner_id}")
    offered = await house.ask("GET", "recommendation", f"/learners/{person.learner_id}/recommendations")
    screen.line(f"  every service has acknowledged it after {seconds * 1000:.0f} ms: it is effective")
    screen.line(f"  the profile now answers {profile.status_code}, recommendations {offered.status_code}")


async def erasure(house: House, screen: Screen, person: Person, issuer: Issuer) -> None:
    """The learner asks to be forgotten (GDPR 17), an officer approves, every service gives its receipt."""
    screen.heading(f"{person.name} asks to be forgotten")
    tenant = house.description["tenant"]
    token = issuer.token(
        roles=["learner"], tenant=tenant, subject="pupil", learner=person.learner_id, ttl_seconds=600, now=time.time()
    )
    body = {"type": "erasure", "learner_id": person.learner_id}
    asked = good(await house.ask("POST", "privacy", "/requests", token=token, json=body)).json()
    screen.line(f"  the learner's request is {asked['status']} until an officer approves it")
    path = f"/requests/{asked['id']}"
    started = time.perf_counter()
    good(await house.ask("POST", "privacy", f"{path}/approve"))

    async def completed() -> Any:
        request = await house.get("privacy", path)
        return request if request["status"] in {"completed", "failed"} else None

    request = await until(completed, "the erasure")
    screen.line(f"  approved, and {request['status']} {(time.perf_counter() - started) * 1000:.0f} ms later")
    for receipt in request["receipts"]:
        screen.line(f"    receipt of {receipt['service']}: {_counted(receipt['counts'])}")
    profile = await house.ask("GET", "learner_profile", f"/learners/{person.learner_id}")
    screen.line(f"  the profile now answers {profile.status_code}")


async def report(house: House, screen: Screen, played: Played, page: Path) -> None:
    """The nation's first lines, and its page into a file."""
    params = {"as_of": played.as_of.isoformat()} if played.as_of else {}
    found = await house.get("insights", "/reports/nation", **params)
    figures = found["figures"]
    screen.heading(f"Equity report, {found['name']}, as of {found['as_of'][:10]}")
    screen.line(
        f"  {_number(figures['learners'])} learners in the roster, {_number(figures['active'])} active in the last 14 "
        f"days, {_share(figures['share_without_statement_14_days'])} without a statement, "
        f"mean mastery {_share(figures['mean_mastery'])}"
    )
    for gap in found["gaps"]:
        groups = ", ".join(f"{g['value'] or 'not given'} {_share(g['figures']['mean_mastery'])}" for g in gap["groups"])
        points = "not shown" if gap["gap"] is None else f"{gap['gap'] * 100:.1f} points"
        screen.line(f"  mean mastery by {gap['attribute']}: {groups}; the gap is {points}")
    for child in found["children"][:CHILDREN_SHOWN]:
        screen.line(
            f"  {child['level']} {child['name'] or '(none)'}: {_number(child['figures']['learners'])} learners, "
            f"mean mastery {_share(child['figures']['mean_mastery'])}"
        )
    answer = good(await house.ask("GET", "insights", "/pages/nation", params=params))
    await asyncio.to_thread(page.write_text, answer.text, encoding="utf-8")
    screen.line(f"  the page: {page}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing yet"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing was held"


def _number(figure: dict[str, Any]) -> str:
    return "(hidden)" if figure["value"] is None else str(figure["value"])


def _share(figure: dict[str, Any]) -> str:
    """In percent; what is hidden so that no single child is given away says so."""
    return "(hidden)" if figure["value"] is None else f"{figure['value'] * 100:.1f} %"
