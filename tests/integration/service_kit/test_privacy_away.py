"""Privacy has not been heard of for too long: use stops in every service with 503, workers wait, recording goes on."""

from __future__ import annotations

from uuid import uuid4

import httpx2
import ingest.service
import insights.service
import learner_profile.service
import pytest
import recommendation.service
from events.payloads import PURPOSES, Basis, Policy, PurposePolicy, Unknown
from learner_profile.worker import views
from service_kit.consent import ConsentView
from service_kit.freshness import ViewTooOld
from service_kit.leases import LEASES
from service_kit.mongo import ensure, in_transaction
from service_kit.positions import POSITIONS
from service_kit.runtime import Service, connections
from service_kit.settings import ServiceSettings

from tests.integration.ingest.lrs import running, statement
from tests.support.tokens import Tokens

TENANT = "away"
USES = {
    "learner_profile": (learner_profile.service.SERVICE, f"/learners/{uuid4()}", "app"),
    "recommendation": (recommendation.service.SERVICE, f"/learners/{uuid4()}/recommendations", "app"),
    "insights": (insights.service.SERVICE, "/reports/nation", "authority"),
}


@pytest.fixture
def settings(
    mongodb_url: str, kafka_bootstrap: str, namespace: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> ServiceSettings:
    """With views that are too old as soon as they are there."""
    own = {
        "TRELLIS_MONGODB_URL": mongodb_url,
        "TRELLIS_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "TRELLIS_NAMESPACE": namespace,
        "TRELLIS_CONSENT_VIEW_MAX_AGE_SECONDS": "0.000001",
    }
    for name, value in (own | tokens.settings).items():
        monkeypatch.setenv(name, value)
    return ServiceSettings()


async def _policy(service: Service, settings: ServiceSettings) -> None:
    rules = {purpose: PurposePolicy(basis=Basis.contract, unknown=Unknown.allowed) for purpose in PURPOSES}
    async with connections(service.name, settings) as c:
        await ensure(c.db, [POSITIONS, LEASES, *service.collections])
        policy = Policy(version=1, purposes=rules)
        await in_transaction(c.client, lambda session: ConsentView(c.db).put_policy(TENANT, policy, session))


@pytest.mark.parametrize("name", USES)
async def test_use_is_a_503_that_says_when_to_come_back(name: str, settings: ServiceSettings, tokens: Tokens) -> None:
    service, path, role = USES[name]
    await _policy(service, settings)
    app = service.app(settings)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://s") as http:
        answer = await http.get(path, headers=tokens.headers(role, tenant=TENANT))
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "2")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_worker_waits(settings: ServiceSettings) -> None:
    await _policy(learner_profile.service.SERVICE, settings)
    async with connections("learner_profile", settings) as c:
        with pytest.raises(ViewTooOld):
            await views(c).consents.standings(TENANT, [str(uuid4())])


async def test_recording_goes_on_for_known_and_new_learners(settings: ServiceSettings, tokens: Tokens) -> None:
    assert ingest.service.SERVICE.name == "ingest"
    async with running(tokens) as lrs:
        for name in ("known", "known", "new"):
            answer = await lrs.post(statement(name))
            assert answer.status_code == 200, answer.text
        assert await lrs.stored() == 3
