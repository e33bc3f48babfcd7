"""Accounts into learner ids, through ingest, which alone knows identifiers."""

from collections.abc import Sequence
from typing import Final, Protocol

import httpx2
import orjson
from service_kit.own_token import OwnToken
from service_kit.problems import BadRequest, NotReadyYet
from service_kit.settings import PeerSettings

from insights.rosters.parsing import Account

BATCH: Final = 1000  # the most agents that ingest takes in one call


class Identities(Protocol):
    """The port: who is behind an account."""

    async def learners(self, tenant: str, accounts: Sequence[Account]) -> list[str | None]:
        """The learner of each account, in order, made where there is none yet; None: erased, and not to come back."""
        ...


class IngestIdentities:
    """`POST /identities` of ingest, with this service's own token."""

    def __init__(self, client: httpx2.AsyncClient, settings: PeerSettings) -> None:
        self._client = client
        self._url = f"{settings.ingest_url.rstrip('/')}/identities"
        self._token = OwnToken(settings)

    async def learners(self, tenant: str, accounts: Sequence[Account]) -> list[str | None]:
        """Raises `NotReadyYet` where ingest is away or not for us, `BadRequest` where it refuses an account."""
        if not self._token.serves(tenant):
            raise NotReadyYet("TRELLIS_SERVICE_TOKEN of insights is missing or not of this tenant")
        found: list[str | None] = []
        for start in range(0, len(accounts), BATCH):
            found += await self._batch(tenant, accounts[start : start + BATCH])
        return found

    async def _batch(self, tenant: str, accounts: Sequence[Account]) -> list[str | None]:
        agents = [{"objectType": "Agent", "account": {"homePage": a.home_page, "name": a.name}} for a in accounts]
        headers = self._token.headers(tenant) | {"Content-Type": "application/json"}
        try:
            answer = await self._client.post(self._url, content=orjson.dumps(agents), headers=headers)
        except httpx2.HTTPError as error:
            raise NotReadyYet(f"ingest, which knows the accounts, does not answer: {type(error).__name__}") from None
        if answer.status_code == httpx2.codes.BAD_REQUEST:
            raise BadRequest(f"ingest does not take one of the accounts: {_detail(answer.content)}")
        if not answer.is_success:
            raise NotReadyYet(f"ingest, which knows the accounts, answers {answer.status_code}")
        # A merge may be undone: the roster names whoever the account itself is, and reports find the person.
        return [item.get("own_learner_id") or item["learner_id"] for item in orjson.loads(answer.content)["items"]]


def _detail(body: bytes) -> str:
    try:
        problem = orjson.loads(body)
    except ValueError:
        return "no reason given"
    return str(problem.get("detail", "no reason given")) if isinstance(problem, dict) else "no reason given"
