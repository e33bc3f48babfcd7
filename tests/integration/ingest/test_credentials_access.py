"""What a caller of /xapi may do, with which secret, until when, and how often."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import jwt
import pytest
from ingest.credentials.authority import AUTHORITY_HOME_PAGE
from ingest.credentials.schemas import Scope
from ingest.credentials.verification import Verifier

from tests.integration.ingest.lrs import STATEMENTS, Json, Lrs, agent, places, running, statement
from tests.support.tokens import ISSUER

XAPI = {"X-Experience-API-Version": "1.0.3"}
STATE = "/xapi/activities/state"
PROFILE = "/xapi/activities/profile"
CONTEXT = {"activityId": "https://example.org/activities/1", "agent": '{"mbox":"mailto:ada@example.org"}'}


async def made(lrs: Lrs, **body: Any) -> Json:
    new = {"name": "test", "scopes": ["all"], **body}
    answer = await lrs.http.post("/credentials", json=new, headers=lrs.bearer("operator"))
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def rotated(lrs: Lrs, key: str, body: Json | None = None) -> Json:
    answer = await lrs.http.post(f"/credentials/{key}/rotate", json=body, headers=lrs.bearer("operator"))
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def listed(lrs: Lrs, key: str) -> Json:
    items = (await lrs.http.get("/credentials", headers=lrs.bearer("operator"))).json()["items"]
    return next(item for item in items if item["key"] == key)


def basic(credential: Json) -> httpx2.BasicAuth:
    return httpx2.BasicAuth(credential["key"], credential["secret"])


async def asked(lrs: Lrs, auth: Any, *, verifier: Verifier | None = None) -> int:
    if verifier is None:
        return (await lrs.get(auth=auth)).status_code
    request = next(auth.auth_flow(lrs.http.build_request("GET", "/")))
    try:
        await verifier.verify(request.headers["Authorization"])
    except Exception as error:
        return int(getattr(error, "status", 0))
    return 200


class TestRotate:
    async def test_anonymous(self, lrs: Lrs) -> None:
        assert (await lrs.http.post("/credentials/x/rotate")).status_code == 401

    async def test_missing_role(self, lrs: Lrs) -> None:
        answer = await lrs.http.post("/credentials/x/rotate", headers=lrs.bearer("app"))
        assert answer.status_code == 403

    async def test_other_tenant(self, lrs: Lrs) -> None:
        other, credential = await lrs.other_tenant(), await made(lrs)
        answer = await lrs.http.post(f"/credentials/{credential['key']}/rotate", headers=other.bearer("operator"))
        assert answer.status_code == 404
        assert await asked(lrs, basic(credential)) == 200

    @pytest.mark.parametrize("body", [{"grace_seconds": -1}, {"grace_seconds": 31 * 86400}, {"grace": 1}])
    async def test_invalid(self, lrs: Lrs, body: Json) -> None:
        key = (await made(lrs))["key"]
        answer = await lrs.http.post(f"/credentials/{key}/rotate", json=body, headers=lrs.bearer("operator"))
        assert answer.status_code == 400

    async def test_both_secrets_for_a_day(self, lrs: Lrs) -> None:
        old = await made(lrs)
        assert await asked(lrs, basic(old)) == 200
        new = await rotated(lrs, old["key"])
        assert new["secret"] != old["secret"]
        assert await asked(lrs, basic(old)) == await asked(lrs, basic(new)) == 200
        until = datetime.fromisoformat(new["previous_until"])
        assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(days=1)
        later = Verifier(lrs.app.state.ingest.credentials.known, clock=lambda: until)
        assert await asked(lrs, basic(old), verifier=later) == 401
        assert await asked(lrs, basic(new), verifier=later) == 200

    async def test_without_grace(self, lrs: Lrs) -> None:
        old = await made(lrs)
        new = await rotated(lrs, old["key"], {"grace_seconds": 0})
        assert new["previous_until"] is None
        assert (await asked(lrs, basic(old)), await asked(lrs, basic(new))) == (401, 200)

    async def test_the_one_before_the_last_ends(self, lrs: Lrs) -> None:
        first = await made(lrs)
        second = await rotated(lrs, first["key"])
        third = await rotated(lrs, first["key"])
        assert [await asked(lrs, basic(one)) for one in (first, second, third)] == [401, 200, 200]

    async def test_a_new_secret_works_at_once_elsewhere(self, lrs: Lrs) -> None:
        now = 0.0
        elsewhere = Verifier(lrs.app.state.ingest.credentials.known, now=lambda: now)
        old = await made(lrs)
        assert await asked(lrs, basic(old), verifier=elsewhere) == 200
        new = await rotated(lrs, old["key"])
        now = 1.0
        assert await asked(lrs, basic(new), verifier=elsewhere) == 200

    async def test_a_wrong_secret_costs_one_look_up_a_second(self, lrs: Lrs) -> None:
        looked, now, credential = 0, 0.0, await made(lrs)

        async def find(key: str) -> Any:
            nonlocal looked
            looked += 1
            return await lrs.app.state.ingest.credentials.known(key)

        verifier = Verifier(find, now=lambda: now)
        wrong = httpx2.BasicAuth(credential["key"], "wrong")
        assert [await asked(lrs, wrong, verifier=verifier) for _ in range(5)] == [401] * 5
        assert looked == 1
        for _ in range(5):
            assert await asked(lrs, basic(credential), verifier=verifier) == 200
        assert looked == 1
        now = 1.0
        await asked(lrs, wrong, verifier=verifier)
        assert looked == 2


class TestTime:
    async def test_expiry(self, lrs: Lrs) -> None:
        soon = datetime.now(UTC) + timedelta(minutes=5)
        credential = await made(lrs, expires_at=soon.isoformat())
        assert await asked(lrs, basic(credential)) == 200
        later = Verifier(lrs.app.state.ingest.credentials.known, clock=lambda: soon)
        assert await asked(lrs, basic(credential), verifier=later) == 401

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
            ({"expires_at": "2099-01-01T00:00:00"}, "/expires_at"),
            ({"profile": "unheard-of"}, "/profile"),
            ({"rate_per_second": 0}, "/rate_per_second"),
            ({"burst": 5}, "/burst"),
            ({"rate_per_second": 5, "burst": 0}, "/burst"),
        ],
    )
    async def test_invalid(self, lrs: Lrs, body: Json, pointer: str) -> None:
        new = {"name": "x", "scopes": ["all"], **body}
        answer = await lrs.http.post("/credentials", json=new, headers=lrs.bearer("operator"))
        assert answer.status_code == 400
        assert places(answer) == {pointer}

    async def test_last_use(self, lrs: Lrs) -> None:
        credential = await made(lrs)
        key = credential["key"]
        assert (await listed(lrs, key))["last_used"] is None
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        await asked(lrs, httpx2.BasicAuth(key, "wrong"))
        assert await asked(lrs, basic(credential)) == 200
        await lrs.app.state.ingest.verifier.close()
        used = (await listed(lrs, key))["last_used"]
        assert before <= datetime.fromisoformat(used) <= datetime.now(UTC)
        assert await asked(lrs, basic(credential)) == 200
        await lrs.app.state.ingest.credentials.used(key)  # as another replica would
        await lrs.app.state.ingest.verifier.close()
        assert (await listed(lrs, key))["last_used"] == used


class TestRate:
    async def test_too_many(self, lrs: Lrs) -> None:
        slow = await made(lrs, rate_per_second=0.1, burst=3)
        answers = [await lrs.get(auth=basic(slow)) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].headers["Retry-After"] == "10"
        assert answers[-1].json()["type"].endswith("/too-many-requests")
        assert await asked(lrs, lrs.auth) == 200

    async def test_the_setting_is_for_those_without_their_own(self, lrs: Lrs, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("TRELLIS_XAPI_RATE_PER_SECOND", "0.5")
        async with running(lrs.tokens) as other:
            free = await made(other, rate_per_second=100)
            assert [await asked(other, other.auth) for _ in range(2)] == [200, 429]
            assert [await asked(other, basic(free)) for _ in range(4)] == [200] * 4


REQUESTS: list[tuple[str, str, Json, set[str]]] = [
    ("POST", STATEMENTS, {"json": statement()}, {"statements/write"}),
    ("GET", STATEMENTS, {}, {"statements/read", "statements/read/mine", "all/read"}),
    ("PUT", STATE, {"params": {**CONTEXT, "stateId": "x"}, "json": {}}, {"state"}),
    ("GET", STATE, {"params": CONTEXT}, {"state", "all/read"}),
    ("DELETE", STATE, {"params": CONTEXT}, {"state"}),
    ("PUT", PROFILE, {"params": {"activityId": "https://a.example", "profileId": "x"}, "json": {}}, {"profile"}),
    ("GET", PROFILE, {"params": {"activityId": "https://a.example"}}, {"profile", "all/read"}),
    ("GET", "/xapi/agents", {"params": {"agent": CONTEXT["agent"]}}, {"statements/read", "all/read"}),
]


class TestScopes:
    async def test_each_alone(self, lrs: Lrs) -> None:
        for scope in Scope:
            _, auth = await lrs.credential(scope)
            for method, path, options, enough in REQUESTS:
                answer = await lrs.http.request(method, path, auth=auth, headers=XAPI, **options)
                refused = answer.status_code == 403
                assert refused == (scope is not Scope.all and scope not in enough), (scope, method, path, answer.text)

    async def test_mine(self, lrs: Lrs) -> None:
        _, mine = await lrs.credential("statements/write", "statements/read/mine")
        sent = statement()
        await lrs.post(statement())
        assert (await lrs.post(sent, auth=mine)).status_code == 200
        assert await lrs.ids(auth=mine) == [sent["id"]]


class TestBearer:
    def bearer(self, lrs: Lrs, scope: str | None, **claims: Any) -> dict[str, str]:
        claims = {"tenant": lrs.tenant, "subject": "app-1", **claims}
        return {"Authorization": f"Bearer {lrs.tokens.make(scope=scope, **claims)}"}

    async def get(self, lrs: Lrs, headers: dict[str, str]) -> httpx2.Response:
        return await lrs.http.get(STATEMENTS, headers=XAPI | headers)

    async def test_beside_basic(self, lrs: Lrs) -> None:
        headers = self.bearer(lrs, "statements/write statements/read/mine")
        sent = statement(authority=agent("somebody else"))
        answer = await lrs.http.post(STATEMENTS, json=sent, headers=XAPI | headers)
        assert answer.status_code == 200, answer.text
        await lrs.post(statement())
        (found,) = (await self.get(lrs, headers)).json()["statements"]
        assert found["id"] == sent["id"]
        assert found["authority"]["account"] == {"homePage": ISSUER, "name": "app-1"}
        other = self.bearer(lrs, "statements/read/mine", subject="app-2")
        assert (await self.get(lrs, other)).json()["statements"] == []

    async def test_roles_are_no_scopes(self, lrs: Lrs) -> None:
        for role in ("app", "operator", "service", "learner"):
            assert (await self.get(lrs, lrs.bearer(role))).status_code == 403
        assert (await self.get(lrs, self.bearer(lrs, "openid profile statements/write"))).status_code == 403
        assert (await self.get(lrs, self.bearer(lrs, "openid xapi:all/read"))).status_code == 200

    async def test_wrong_ones(self, lrs: Lrs) -> None:
        claims = {"iss": ISSUER, "aud": "trellis", "sub": "x", "iat": 1, "exp": 2**33, "scope": "all", "tenant": "t"}
        key, head = lrs.tokens.issuer.key, {"kid": "local"}
        good = jwt.encode(claims, key, "EdDSA", headers=head)
        forged = [
            jwt.encode(claims | change, key, "EdDSA", headers=head)
            for change in ({"iss": "https://evil.example"}, {"aud": "other"}, {"tenant": None}, {"tenant": "a/b"})
        ]
        tokens = [*forged, good[:-4] + "AAAA", jwt.encode(claims, "", "none", headers=head), "", "x"]
        headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
        assert (await self.get(lrs, {"Authorization": f"Bearer {good}"})).status_code == 200
        for one in [*headers, self.bearer(lrs, "all", ttl_seconds=-1), {}, {"Authorization": "Digest x"}]:
            answer = await self.get(lrs, one)
            assert answer.status_code == 401
            challenge = answer.headers["WWW-Authenticate"]
            assert "Basic realm=" in challenge
            assert "Bearer realm=" in challenge

    async def test_it_ends_while_it_is_cached(self, lrs: Lrs) -> None:
        headers = self.bearer(lrs, "all", ttl_seconds=2)
        assert (await self.get(lrs, headers)).status_code == 200
        await asyncio.sleep(2.1)
        assert (await self.get(lrs, headers)).status_code == 401


class TestAuthority:
    async def test_that_of_a_key_is_its_account(self, lrs: Lrs) -> None:
        key, auth = await lrs.credential()
        sent = statement(authority={"objectType": "Agent", "mbox": "mailto:forged@example.org"})
        await lrs.post(sent, auth=auth)
        kept = (await lrs.get(statementId=sent["id"])).json()
        account = {"homePage": AUTHORITY_HOME_PAGE, "name": key}
        assert kept["authority"] == {"objectType": "Agent", "account": account}


async def test_headers_that_are_no_credentials(lrs: Lrs) -> None:
    shown = ["Basic", "Basic !", "Basic " + base64.b64encode(b"no colon").decode(), "Basic " + "Og==", "Bearer"]
    shown += ["Basic " + base64.b64encode(key.encode() + b":x").decode() for key in ("launch.1", "x.y", "$ne", "\0")]
    for header in shown:
        answer = await lrs.http.get(STATEMENTS, headers=XAPI | {"Authorization": header})
        assert answer.status_code == 401, header
