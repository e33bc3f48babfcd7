"""`/learners/me` of someone whose token names an account or a mail address, and no learner."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import jwt
import pytest
from devstack.issuer import AUDIENCE
from ingest.service import SERVICE as INGEST
from service_kit.auth import Authenticator
from service_kit.mongo import ensure
from service_kit.problems import NotReadyYet
from service_kit.runtime import connections
from service_kit.settings import AuthSettings, PeerSettings, ServiceSettings

from tests.support.serving import serve
from tests.support.tokens import ISSUER, Tokens

HOME = "https://lms.example"


@dataclass
class Place:
    """Ingest over HTTP, two tenants with a rule each, and tokens with any claims."""

    tokens: Tokens
    url: str
    tenant: str

    def token(self, tenant: str, *roles: str, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "someone", "iat": now, "exp": now + 60, "tenant": tenant}
        said |= {"roles": list(roles), **claims}
        return jwt.encode(said, self.tokens.issuer.key, algorithm="EdDSA", headers={"kid": "local"})

    def authenticator(self, own: str) -> Authenticator:
        rules = {self.tenant: {"claim": "student", "home_page": HOME}, f"{self.tenant}-mail": {"claim": "email"}}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.tokens.settings.items():
                patch.setenv(name, value)
            patch.setenv("TRELLIS_OIDC_LEARNER_CLAIMS", json.dumps(rules))
            patch.setenv("TRELLIS_INGEST_URL", self.url)
            patch.setenv("TRELLIS_SERVICE_TOKEN", self.tokens.make("service", tenant=own, service="insights"))
            return Authenticator(AuthSettings(), PeerSettings())

    async def known(self, tenant: str, agent: dict[str, Any]) -> str:
        async with httpx2.AsyncClient(base_url=self.url, headers=self.tokens.headers("app", tenant=tenant)) as http:
            return str((await http.post("/identities", json=agent)).raise_for_status().json()["learner_id"])


@pytest.fixture
async def place(
    mongodb_url: str, namespace: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    monkeypatch.setenv("TRELLIS_MONGODB_URL", mongodb_url)
    monkeypatch.setenv("TRELLIS_NAMESPACE", namespace)
    for name, value in tokens.settings.items():
        monkeypatch.setenv(name, value)
    settings = ServiceSettings()
    async with connections("ingest", settings) as c:
        await ensure(c.db, INGEST.collections)
    async with serve(INGEST.app(settings)) as url:
        yield Place(tokens, url, f"t{secrets.token_hex(4)}")


async def test_by_account_by_mail_and_not_at_all(place: Place) -> None:
    account, mail = place.tenant, f"{place.tenant}-mail"
    ada = await place.known(account, {"account": {"homePage": HOME, "name": "ada"}})
    bob = await place.known(mail, {"mbox": "mailto:bob@school.example"})

    of_account = place.authenticator(own=account)
    assert (await of_account.principal(place.token(account, "learner", student="ada"))).learner_id == ada
    assert (await of_account.principal(place.token(account, "learner", student="eve"))).learner_id is None
    assert (await of_account.principal(place.token(account, "learner"))).learner_id is None
    named = place.token(account, "learner", student="ada", learner="another")
    assert (await of_account.principal(named)).learner_id == "another"
    assert (await of_account.principal(place.token(account, "teacher", student="ada"))).learner_id is None

    of_mail = place.authenticator(own=mail)
    checked = place.token(mail, "learner", email="bob@school.example", email_verified=True)
    assert (await of_mail.principal(checked)).learner_id == bob
    for claims in ({}, {"email_verified": False}, {"email_verified": "true"}):
        unchecked = place.token(mail, "learner", email="bob@school.example", **claims)
        assert (await of_mail.principal(unchecked)).learner_id is None

    with pytest.raises(NotReadyYet):  # ingest would answer for the tenant of the service's token
        await of_account.principal(checked)
    of_all = place.authenticator(own="*")
    assert (await of_all.principal(checked)).learner_id == bob
    assert (await of_all.principal(place.token(account, "learner", student="ada"))).learner_id == ada
