"""Whose token it is, where the identity provider knows an xAPI account or a mail address, and no learner_id.

A tenant's rule names the claim. Ingest says which learner that is (`GET /identities`, which makes nobody), asked with
the service's own token and remembered for a minute.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import orjson

from service_kit.own_token import OwnToken
from service_kit.problems import NotReadyYet
from service_kit.settings import ClaimRule, PeerSettings

REMEMBERED: Final = 10_000
REMEMBER_SECONDS: Final = 60.0
TIMEOUT_SECONDS: Final = 5.0


def agent_of(rule: ClaimRule, claims: Mapping[str, Any]) -> dict[str, Any] | None:
    """The xAPI agent that the claim names; None where it is missing, or a mail address that nobody has verified."""
    value = claims.get(rule.claim)
    if not isinstance(value, str) or not value:
        return None
    if rule.home_page is not None:
        return {"account": {"homePage": rule.home_page, "name": value}}
    return {"mbox": f"mailto:{value}"} if claims.get("email_verified") is True else None


class ClaimedLearners:
    """Finds learners by the claims of their tokens."""

    def __init__(self, rules: Mapping[str, ClaimRule], peers: PeerSettings) -> None:
        self._rules = rules
        self._url, self._token = peers.ingest_url, OwnToken(peers)
        self._known: OrderedDict[tuple[str, bytes], tuple[float, str | None]] = OrderedDict()

    async def learner(self, tenant: str, claims: Mapping[str, Any]) -> str | None:
        """The learner_id; None where no rule, no such claim, or nothing is known of the agent. Raises `NotReadyYet`."""
        rule = self._rules.get(tenant)
        agent = agent_of(rule, claims) if rule else None
        if agent is None:
            return None
        if not self._token.serves(tenant):
            raise NotReadyYet("TRELLIS_SERVICE_TOKEN is missing or not of this tenant")
        key = (tenant, orjson.dumps(agent))
        known = self._known.get(key)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + REMEMBER_SECONDS, await self._ask(tenant, agent))
            self._known[key] = known
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known[1]

    async def _ask(self, tenant: str, agent: Mapping[str, Any]) -> str | None:
        try:
            async with httpx2.AsyncClient(base_url=self._url, timeout=TIMEOUT_SECONDS) as http:
                params = {"agent": orjson.dumps(agent).decode()}
                answer = await http.get("/identities", params=params, headers=self._token.headers(tenant))
        except httpx2.HTTPError:
            raise NotReadyYet("Who you are cannot be asked at the moment") from None
        if answer.status_code == 404:
            return None
        if not answer.is_success:
            raise NotReadyYet("Who you are cannot be asked at the moment")
        return str(answer.json()["learner_id"])
