"""Who may do what: every endpoint × role × own and other learner, as `docs/guides/access.md` says; and no other tenant.

`TRELLIS_WRITE_ACCESS=1` writes the tables anew: read what has changed before you keep it.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from service_kit.auth import Role

from tests.integration.access.probing import REFUSED, SCOPES, Operation, Town, town
from tests.support.tokens import Tokens

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUIDE: Final = Path(__file__).parents[3] / "docs" / "guides" / "access.md"
ROLES: Final = tuple(Role)
CLASSES: Final = "classes"  # a teacher's own: another class or learner is refused, which is what is walked here
MARK: Final = "Marked-so-that-it-is-found"


@pytest.fixture(scope="module")
def environment(
    mongodb_url: str, kafka_bootstrap: str, module_namespace: str, tokens: Tokens
) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
        patch.setenv("TRELLIS_KAFKA_BOOTSTRAP", kafka_bootstrap)
        patch.setenv("TRELLIS_NAMESPACE", module_namespace)
        for name, value in tokens.settings.items():
            patch.setenv(name, value)
        yield patch


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(environment: pytest.MonkeyPatch, tokens: Tokens) -> AsyncIterator[Town]:
    async with town(tokens, f"t{secrets.token_hex(4)}") as one:
        yield one


def section(name: str) -> dict[str, tuple[str, ...]]:
    """A table of the guide: the endpoint, and its cells."""
    text = GUIDE.read_text(encoding="utf-8").partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "`" in line]
    return {f"{service} {endpoint.strip('`')}": tuple(cells) for service, endpoint, *cells in rows}


def rewrite(name: str, head: tuple[str, ...], found: dict[str, tuple[str, ...]]) -> None:
    lines = [f"| service | endpoint | {' | '.join(head)} |", "|---" * (len(head) + 2) + "|"]
    for key, cells in found.items():
        service, _, endpoint = key.partition(" ")
        lines.append(f"| {service} | `{endpoint}` | {' | '.join(cells)} |")
    text = GUIDE.read_text(encoding="utf-8")
    block = f"<!-- {name} -->\n" + "\n".join(lines) + f"\n<!-- end of {name} -->"
    pattern = f"<!-- {name} -->.*<!-- end of {name} -->"
    GUIDE.write_text(re.sub(pattern, lambda _: block, text, flags=re.DOTALL), encoding="utf-8")


def compare(name: str, head: tuple[str, ...], found: dict[str, tuple[str, ...]]) -> None:
    written = section(name)
    if os.environ.get("TRELLIS_WRITE_ACCESS"):
        kept = {key: _kept(cells, written.get(key, cells)) for key, cells in found.items()}
        rewrite(name, head, kept)
        return
    plain = {key: tuple("–" if cell == CLASSES else cell for cell in cells) for key, cells in written.items()}
    assert plain == found


def _kept(found: tuple[str, ...], written: tuple[str, ...]) -> tuple[str, ...]:
    """What a walk cannot see, a teacher's own classes, stays as it is written."""
    pairs = zip(found, written, strict=True)
    return tuple(CLASSES if (a, b) == ("–", CLASSES) else a for a, b in pairs)


async def test_roles(here: Town) -> None:
    found = {}
    for operation in here.operations():
        if not operation.is_xapi:
            anyone = "open" if await here.is_open(operation) else "–"
            cells = ["all" for _ in ROLES]
            if anyone == "–":
                cells = list(await asyncio.gather(*(here.cell(operation, role) for role in ROLES)))
            found[f"{operation.service} {operation.name}"] = (*cells, anyone)
    compare("roles", (*ROLES, "nobody"), found)


async def test_scopes_of_xapi(here: Town) -> None:
    """Credentials and bearer tokens with xAPI scopes; a role alone opens nothing there."""
    keys = {scope: await credential(here, scope) for scope in SCOPES}
    found = {}
    for operation in here.operations():
        if operation.is_xapi or operation.path == "/exports/statements":
            cells = ["all" if await passes(here, operation, auth=keys[scope]) else "–" for scope in SCOPES]
            found[f"{operation.service} {operation.name}"] = tuple(cells)
            if operation.path != "/xapi/about" and operation.is_xapi:
                assert not await passes(here, operation, here.headers("operator"))
    compare("scopes", SCOPES, found)


async def credential(here: Town, scope: str) -> httpx2.BasicAuth:
    new = {"name": scope, "scopes": [scope]}
    made = await here.http["ingest"].post("/credentials", json=new, headers=here.headers("operator"))
    issued = made.raise_for_status().json()
    return httpx2.BasicAuth(issued["key"], issued["secret"])


async def passes(
    here: Town, operation: Operation, headers: Mapping[str, str] | None = None, auth: httpx2.BasicAuth | None = None
) -> bool:
    given = {**(headers or {}), "X-Experience-API-Version": "1.0.3"}
    answer = await here.ask(operation, given, here.names(str(uuid4())), auth=auth)
    return answer.status_code not in REFUSED


class TestAnotherTenant:
    """Whoever has every role in another tenant neither sees nor changes anything in this one."""

    async def test_sees_and_changes_nothing(self, here: Town) -> None:
        values = await marked(here)
        stranger = here.everything(tenant="another-tenant")
        seen = []
        for operation in here.operations():
            if operation.is_xapi or operation.name in ("PUT /policy", "POST /rosters/import"):
                continue  # xAPI's tenants are walked in test_tenants_apart; these name no other tenant's thing
            answer = await here.ask(operation, stranger, values)
            if MARK in answer.text:
                seen.append(operation.name)
        assert seen == []
        untouched = {"request": (MARK, "running"), "link": True, "key": True, "consent": "allowed"}
        assert await left(here, values) == untouched

    async def test_the_walk_would_have_seen_it(self, here: Town) -> None:
        values = await marked(here)
        insider = here.everything(tenant=here.tenant)
        seen = set()
        for operation in here.operations():
            if operation.method == "get" and not operation.is_xapi and operation.path != "/audit/export":
                answer = await here.ask(operation, insider, values)
                if MARK in answer.text:
                    seen.add(operation.name)
        assert {
            "GET /policy",
            "GET /credentials",
            "GET /guardians",
            "GET /requests",
            "GET /requests/{request_id}",
            "GET /learners/{learner_id}/privacy",
            "GET /catalog/activities",
        } <= seen


async def marked(here: Town) -> dict[str, str]:
    """Something of this tenant behind every kind of identifier, with the mark in it."""
    learner, office = str(uuid4()), here.everything(tenant=here.tenant)
    privacy, ingest = here.http["privacy"], here.http["ingest"]
    policy = (await privacy.get("/policy", headers=office)).json()
    body = {"purposes": policy["purposes"], "controller": {"name": MARK, "kind": "school"}}
    (await privacy.put("/policy", json=body, headers=office)).raise_for_status()
    link = {"learner_id": learner, "guardian": "someone", "verified_by": MARK}
    request = {"type": "restriction", "learner_id": learner, "reason": MARK}
    new = {"name": MARK, "scopes": ["statements/read"]}
    key = (await ingest.post("/credentials", json=new, headers=office)).raise_for_status().json()["key"]
    activity = f'{{"id":"https://content.example/{learner}","title":"{MARK}"}}'
    imported = await here.http["recommendation"].post("/catalog/import", content=activity, headers=office)
    imported.raise_for_status()
    names = here.names(learner)
    return names | {
        "link_id": await here.made("/guardians", link),
        "request_id": await here.made("/requests", request),
        "key": key,
    }


async def left(here: Town, values: dict[str, str]) -> dict[str, object]:
    office = here.everything(tenant=here.tenant)
    request = (await here.http["privacy"].get(f"/requests/{values['request_id']}", headers=office)).json()
    query = {"learner_id": values["learner_id"]}
    [link] = (await here.http["privacy"].get("/guardians", params=query, headers=office)).json()
    keys = (await here.http["ingest"].get("/credentials", params={"limit": "1000"}, headers=office)).json()["items"]
    consents = (await here.http["privacy"].get(f"/consents/{values['learner_id']}", headers=office)).json()
    return {
        "request": (request["details"]["reason"], request["status"]),
        "link": link["active"],
        "key": values["key"] in {one["key"] for one in keys},
        "consent": consents["purposes"]["teach"]["status"],
    }
