"""How long it takes from a statement's acknowledgement to the recommendation that reflects it."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx2

POLL_SECONDS: Final = 0.05
GIVE_UP_SECONDS: Final = 30.0
XAPI_HEADERS: Final = {"X-Experience-API-Version": "1.0.3"}
HOME_PAGE: Final = "https://school.example"


def account(name: str) -> dict[str, Any]:
    """An agent known by its account at the simulated school's LMS."""
    return {"objectType": "Agent", "account": {"homePage": HOME_PAGE, "name": name}}


def answered(actor: dict[str, Any], activity: str, *, scaled: float, seconds: float) -> dict[str, Any]:
    """A statement with an id of its own: the actor answered the activity."""
    return {
        "id": str(uuid4()),
        "actor": actor,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered"}},
        "object": {"id": activity},
        "result": {
            "score": {"scaled": scaled},
            "success": scaled >= 0.5,
            "duration": f"PT{seconds:.1f}S",
        },
    }


@dataclass(frozen=True)
class Percentiles:
    """Seconds."""

    count: int
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"p50 {self.p50 * 1000:.0f} ms, p99 {self.p99 * 1000:.0f} ms ({self.count} measured)"


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Of at least two measurements."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return Percentiles(len(seconds), statistics.median(seconds), cuts[98])


@dataclass
class Probe:
    """Posts a statement, then asks for recommendations until they reflect it. One statement of a learner at a time."""

    stack: dict[str, Any]  # what stack.json holds
    http: httpx2.AsyncClient
    seconds: list[float] = field(default_factory=list)
    acknowledgements: list[float] = field(default_factory=list)

    async def learner_id(self, actor: dict[str, Any]) -> str:
        """The learner behind an agent."""
        answer = await self.http.post(f"{self.stack['ingest']['url']}/identities", json=actor, headers=self._token)
        return str(answer.raise_for_status().json()["learner_id"])

    async def post(self, statement: dict[str, Any]) -> None:
        """Return when ingest has acknowledged it."""
        ingest = self.stack["ingest"]
        started = time.perf_counter()
        answer = await self.http.post(
            f"{ingest['xapi']}/statements",
            json=statement,
            headers=XAPI_HEADERS,
            auth=(ingest["key"], ingest["secret"]),
        )
        answer.raise_for_status()
        self.acknowledgements.append(time.perf_counter() - started)

    async def measure(self, statement: dict[str, Any], learner_id: str) -> float:
        """Seconds from the acknowledgement on. Raises `TimeoutError` after 30 s."""
        await self.post(statement)
        acknowledged = time.perf_counter()
        url = f"{self.stack['recommendation']['url']}/learners/{learner_id}/recommendations"
        while time.perf_counter() - acknowledged < GIVE_UP_SECONDS:
            answer = await self.http.get(url, params={"limit": 1}, headers=self._token)
            if answer.is_success and answer.json()["reflects"] == statement["id"]:
                seconds = time.perf_counter() - acknowledged
                self.seconds.append(seconds)
                return seconds
            await asyncio.sleep(POLL_SECONDS)
        raise TimeoutError(f"not reflected within {GIVE_UP_SECONDS:.0f} s")

    @property
    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.stack['operator_token']}"}
