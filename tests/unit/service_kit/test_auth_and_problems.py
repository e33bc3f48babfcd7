"""Who is calling, what is refused, and how refusals look."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from devstack.issuer import Issuer
from events.errors import NotReady
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict
from service_kit import auth
from service_kit.app import create_app
from service_kit.auth import Principal, Role, require
from service_kit.mongo import MongoAway
from service_kit.paging import decode_cursor, encode_cursor
from service_kit.problems import BadRequest, Conflict
from service_kit.settings import ServiceSettings

from tests.support.tokens import Tokens

LIMIT = 2048


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    inner: dict[str, int] = {}


router = APIRouter()


@router.get("/who")
async def who(principal: Annotated[Principal, Depends(require())]) -> dict[str, Any]:
    return {"tenant": principal.tenant, "roles": sorted(principal.roles), "learner": principal.learner_id}


@router.get("/officers")
async def officers(principal: Annotated[Principal, Depends(require(Role.dpo, Role.operator))]) -> str:
    return principal.subject


@router.get("/services")
async def services(principal: Annotated[Principal, Depends(require(Role.service, services=("privacy",)))]) -> list[str]:
    return [principal.tenant, *sorted(principal.roles)]


@router.post("/bodies")
async def bodies(body: Body, limit: Annotated[int, Query(ge=1)] = 1) -> str:
    return body.name


@router.post("/raw")
async def raw(request: Request) -> int:
    return len(await request.body())


@router.get("/raise/{what}")
async def fail(what: str) -> None:
    errors = {
        "not-ready": NotReady("no policy"),
        "away": MongoAway("down"),
        "conflict": Conflict("twice", errors=[{"pointer": "/x"}]),
        "bug": KeyError("secret value"),
    }
    raise errors[what]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tokens: Tokens) -> pytest.MonkeyPatch:
    for name, value in tokens.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRELLIS_BODY_LIMIT_BYTES", str(LIMIT))
    return monkeypatch


@pytest.fixture
async def client(environment: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(ServiceSettings()) as client:
        yield client


@asynccontextmanager
async def client_of(settings: ServiceSettings) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(title="test", description="", settings=settings, lifespan=lifespan, routers=[router])
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def problem(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document of a refusal."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["type"].startswith("https://trellis.invalid/problems/")
    return document


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestTokens:
    async def test_accepted(self, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        answer = await client.get("/who", headers=tokens.headers("learner", "app", tenant="t1", learner="l-1"))
        assert answer.json() == {"tenant": "t1", "roles": ["app", "learner"], "learner": "l-1"}

    @pytest.mark.parametrize(
        "header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer not.a.token", "Bearer ..."]
    )
    async def test_no_token(self, client: httpx2.AsyncClient, header: str | None) -> None:
        refused = await client.get("/who", headers={} if header is None else {"Authorization": header})
        problem(refused, 401)
        assert refused.headers["www-authenticate"].startswith("Bearer")

    async def test_expired(self, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        document = problem(await client.get("/who", headers=bearer(tokens.make("app", ttl_seconds=-60))), 401)
        assert "Expired" in document["detail"]

    async def test_another_issuers_key_under_our_kid(
        self, client: httpx2.AsyncClient, tokens: Tokens, tmp_path: Path
    ) -> None:
        forged = Issuer.in_folder(tmp_path, name=tokens.issuer.name).token(
            roles=["dpo"], tenant="demo", subject="x", learner=None, ttl_seconds=60, now=datetime.now(UTC).timestamp()
        )
        head, body, signature = tokens.make("app").split(".")
        problem(await client.get("/who", headers=bearer(".".join([head, *forged.split(".")[1:]]))), 401)
        problem(await client.get("/who", headers=bearer(forged)), 401)
        problem(await client.get("/who", headers=bearer(f"{head}.{forged.split('.')[1]}.{signature}")), 401)
        assert body

    async def test_no_signature(self, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        kid = jwt.get_unverified_header(tokens.make("app"))["kid"]
        claims = jwt.decode(tokens.make("app"), options={"verify_signature": False})
        unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": kid})
        problem(await client.get("/who", headers=bearer(unsigned)), 401)

    @pytest.mark.parametrize("role", ["learner", "app", "service"])
    async def test_wrong_role(self, client: httpx2.AsyncClient, tokens: Tokens, role: str) -> None:
        document = problem(await client.get("/officers", headers=tokens.headers(role)), 403)
        assert "dpo, operator" in document["detail"]

    async def test_unknown_roles_are_none(self, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        problem(await client.get("/who", headers=tokens.headers("emperor")), 403)


class TestServices:
    """A service's token is good for every tenant, where the call names one, and for what that service needs."""

    @staticmethod
    def headers(tokens: Tokens, *roles: str, named: str = "", tenant: str = "*", **more: str) -> dict[str, str]:
        return tokens.headers(*(roles or ("service",)), tenant=tenant, **more) | {"Trellis-Tenant": named}

    async def test_of_the_tenant_that_is_named(self, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        for tenant in ("north", "south"):
            answer = await client.get("/services", headers=self.headers(tokens, named=tenant, service="privacy"))
            assert answer.json() == [tenant, "service"]

    async def test_of_its_own_tenant_alone(self, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        own = self.headers(tokens, named="north", tenant="north", service="privacy")
        assert (await client.get("/services", headers=own)).json() == ["north", "service"]
        problem(await client.get("/services", headers=own | {"Trellis-Tenant": "south"}), 403)

    @pytest.mark.parametrize("named", ["", "*", "a/b"])
    async def test_without_a_tenant(self, client: httpx2.AsyncClient, tokens: Tokens, named: str) -> None:
        problem(await client.get("/services", headers=self.headers(tokens, named=named, service="privacy")), 403)

    @pytest.mark.parametrize("service", ["insights", "", "Privacy"])
    async def test_another_service(self, client: httpx2.AsyncClient, tokens: Tokens, service: str) -> None:
        document = problem(
            await client.get("/services", headers=self.headers(tokens, named="north", service=service)), 403
        )
        assert "privacy" in document["detail"]

    async def test_other_roles_of_it_count_for_nothing(self, client: httpx2.AsyncClient, tokens: Tokens) -> None:
        both = self.headers(tokens, "service", "dpo", named="north", service="privacy")
        assert (await client.get("/services", headers=both)).json() == ["north", "service"]
        problem(await client.get("/officers", headers=both), 403)
        problem(await client.get("/who", headers=both), 403)
        problem(
            await client.get("/services", headers=self.headers(tokens, "dpo", named="north", service="privacy")), 403
        )


class Own:
    """An issuer whose claims a test chooses freely."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys: dict[str, Ed25519PrivateKey] = {}

    def add(self, kid: str) -> None:
        self.keys[kid] = Ed25519PrivateKey.generate()
        public = [self._jwk(name, key) for name, key in self.keys.items()]
        (self.folder / "jwks.json").write_text(json.dumps({"keys": public}), encoding="utf-8")

    def _jwk(self, kid: str, key: Ed25519PrivateKey) -> dict[str, str]:
        x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": x}

    def headers(self, kid: str = "one", **changes: Any) -> dict[str, str]:
        now = datetime.now(UTC)
        claims = {
            "iss": "https://own.test",
            "aud": "trellis",
            "sub": "someone",
            "iat": now,
            "exp": now + timedelta(minutes=1),
            "tenant": "demo",
            "roles": ["app"],
        } | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return bearer(jwt.encode(kept, self.keys[kid], algorithm="EdDSA", headers={"kid": kid}))


@pytest.fixture
def own(environment: pytest.MonkeyPatch, tmp_path: Path) -> Own:
    issuer = Own(tmp_path)
    issuer.add("one")
    environment.setenv("TRELLIS_OIDC_JWKS_URL", (tmp_path / "jwks.json").as_uri())
    environment.setenv("TRELLIS_OIDC_ISSUER", "https://own.test")
    return issuer


class TestClaims:
    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, 200),
            ({"aud": "others"}, 401),
            ({"aud": None}, 401),
            ({"aud": ["others", "trellis"]}, 200),
            ({"iss": "https://evil.test"}, 401),
            ({"iss": None}, 401),
            ({"exp": None}, 401),
            ({"sub": None}, 401),
            ({"tenant": None}, 401),
            ({"tenant": ""}, 401),
            ({"tenant": "a/b"}, 401),
            ({"tenant": 7}, 401),
            ({"roles": None}, 401),
            ({"roles": "dpo"}, 401),
            ({"roles": []}, 403),
            ({"roles": [{"a": 1}, 7, None]}, 403),
            ({"roles": [{"a": 1}, "app"]}, 200),
        ],
    )
    async def test_each(self, own: Own, changes: dict[str, Any], status: int) -> None:
        async with client_of(ServiceSettings()) as client:
            assert (await client.get("/who", headers=own.headers(**changes))).status_code == status

    async def test_a_new_key_is_found_after_a_pause(self, own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
        async with client_of(ServiceSettings()) as client:
            assert (await client.get("/who", headers=own.headers())).status_code == 200
            own.add("two")
            problem(await client.get("/who", headers=own.headers("two")), 401)
            monkeypatch.setattr(auth, "UNKNOWN_KEY_PAUSE_SECONDS", 0.0)
            assert (await client.get("/who", headers=own.headers("two"))).status_code == 200

    @pytest.mark.parametrize("content", [None, "no json", "[]", '{"keys": []}', '{"keys": 7}'])
    async def test_without_keys_nobody_is_judged(self, own: Own, content: str | None) -> None:
        headers = own.headers()
        path = own.folder / "jwks.json"
        path.unlink()
        if content is not None:
            path.write_text(content, encoding="utf-8")
        async with client_of(ServiceSettings()) as client:
            refused = await client.get("/who", headers=headers)
        problem(refused, 503)
        assert int(refused.headers["retry-after"]) > 0

    async def test_known_keys_outlive_a_lost_issuer(self, own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
        async with client_of(ServiceSettings()) as client:
            assert (await client.get("/who", headers=own.headers())).status_code == 200
            (own.folder / "jwks.json").unlink()
            monkeypatch.setattr(auth, "REFRESH_SECONDS", 0.0)
            assert (await client.get("/who", headers=own.headers())).status_code == 200


class TestProblems:
    async def test_the_place_in_the_body(self, client: httpx2.AsyncClient) -> None:
        refused = await client.post("/bodies?limit=0", json={"inner": {"a/b~c": "x"}, "more": 1})
        errors = problem(refused, 400)["errors"]
        assert {e["pointer"] for e in errors if "pointer" in e} == {"/name", "/inner/a~1b~0c", "/more"}
        assert [e["parameter"] for e in errors if "parameter" in e] == ["limit"]

    @pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[" * 2000])
    async def test_no_json(self, client: httpx2.AsyncClient, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        problem(await client.post("/bodies", content=body, headers=headers), 400)

    async def test_no_such_path_and_method(self, client: httpx2.AsyncClient) -> None:
        assert problem(await client.get("/nowhere"), 404)["type"].endswith("/not-found")
        refused = await client.delete("/who")
        assert problem(refused, 405)["type"].endswith("/http-405")
        assert refused.headers["allow"] == "GET"

    @pytest.mark.parametrize("what", ["not-ready", "away"])
    async def test_what_will_be_ready(self, client: httpx2.AsyncClient, what: str) -> None:
        refused = await client.get(f"/raise/{what}")
        problem(refused, 503)
        assert refused.headers["retry-after"] == "2"

    async def test_a_bug_tells_nothing(self, client: httpx2.AsyncClient) -> None:
        document = problem(await client.get("/raise/bug"), 500)
        assert "secret" not in json.dumps(document)

    async def test_errors_are_carried(self, client: httpx2.AsyncClient) -> None:
        assert problem(await client.get("/raise/conflict"), 409)["errors"] == [{"pointer": "/x"}]


class TestBodyLimit:
    async def test_declared(self, client: httpx2.AsyncClient) -> None:
        assert (await client.post("/raw", content=b"x" * LIMIT)).json() == LIMIT
        problem(await client.post("/raw", content=b"x" * (LIMIT + 1)), 413)

    @pytest.mark.parametrize("path", ["/raw", "/bodies"])
    async def test_chunked(self, client: httpx2.AsyncClient, path: str) -> None:
        async def chunks(number: int) -> AsyncIterator[bytes]:
            for _ in range(number):
                yield b" " * 512

        assert (await client.post("/raw", content=chunks(4))).json() == LIMIT
        headers = {"Content-Type": "application/json"}
        problem(await client.post(path, content=chunks(5), headers=headers), 413)


class TestCursor:
    def test_round_trip(self) -> None:
        for key in (["a", 1], ["é/\n", 2.5], [True, ""]):
            assert decode_cursor(encode_cursor(key), 2) == key
        assert decode_cursor(None, 2) is None

    @pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "WzEsMl0", "WzFd", "bnVsbA", "W3siJG5lIjoxfV0"])
    def test_anything_else_is_refused(self, cursor: str) -> None:
        if cursor == "WzFd":
            assert decode_cursor(cursor, 1) == [1]
            return
        with pytest.raises(BadRequest):
            decode_cursor(cursor, 1)
