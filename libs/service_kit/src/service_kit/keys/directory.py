"""The port to whoever knows which data key is whose: the privacy service. Keys travel wrapped, in batches."""

import asyncio
import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx2
import orjson
from events.sealing import KeysAway, Owner

from service_kit.own_token import EVERY_TENANT, OwnToken
from service_kit.settings import PeerSettings

MOST: Final = 1000  # learners, or keys, in one look-up or draw
_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is kept. `name` is random; `wrapped` opens with the bucket's key alone."""

    name: str
    owner: Owner
    bucket: str
    wrapped: bytes


class Directory(Protocol):
    """All raise `KeysAway`."""

    async def by_owner(self, tenant: str, learners: Collection[str]) -> list[WrappedKey]:
        """The learners' keys, made for whoever never had one; the forgotten are left out."""
        ...

    async def by_name(self, names: Collection[str]) -> list[WrappedKey]:
        """The keys of these names; those that are gone are left out."""
        ...

    async def destroyed(self, tenant: str, learners: Collection[str]) -> set[str]:
        """Those of the learners whose key was destroyed."""
        ...

    async def draw(self, tenant: str, count: int) -> list[WrappedKey]:
        """New learners with their keys; `count` at most `MOST`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class PrivacyDirectory:
    """`/keys` of the privacy service, with this service's own token; what is asked names its tenant in the body."""

    def __init__(self, settings: PeerSettings) -> None:
        headers = OwnToken(settings).headers(EVERY_TENANT) | {"Content-Type": "application/json"}
        self._client = httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, headers=headers)
        self._url = f"{settings.privacy_url.rstrip('/')}/keys"

    async def by_owner(self, tenant: str, learners: Collection[str]) -> list[WrappedKey]:
        bodies = [{"tenant": tenant, "learners": part} for part in _parts(sorted(learners))]
        return await self._all("lookups", bodies)

    async def by_name(self, names: Collection[str]) -> list[WrappedKey]:
        return await self._all("lookups", [{"keys": part} for part in _parts(sorted(names))])

    async def destroyed(self, tenant: str, learners: Collection[str]) -> set[str]:
        answers = [
            await self._said("destroyed", {"tenant": tenant, "learners": part}) for part in _parts(sorted(learners))
        ]
        return {learner for answer in answers for learner in answer["learners"]}

    async def draw(self, tenant: str, count: int) -> list[WrappedKey]:
        return await self._ask("draws", {"tenant": tenant, "count": count})

    async def close(self) -> None:
        await self._client.aclose()

    async def _all(self, what: str, bodies: Sequence[dict[str, Any]]) -> list[WrappedKey]:
        return [key for answer in await asyncio.gather(*(self._ask(what, b) for b in bodies)) for key in answer]

    async def _ask(self, what: str, body: dict[str, Any]) -> list[WrappedKey]:
        return [from_wire(one) for one in (await self._said(what, body))["items"]]

    async def _said(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = await self._client.post(f"{self._url}/{what}", content=orjson.dumps(body))
        except httpx2.HTTPError as error:
            raise KeysAway(f"privacy, which keeps the keys, does not answer: {type(error).__name__}") from None
        if not answer.is_success:
            raise KeysAway(f"privacy, which keeps the keys, answers {answer.status_code}")
        said: dict[str, Any] = orjson.loads(answer.content)
        return said


def from_wire(one: dict[str, str]) -> WrappedKey:
    owner = Owner(one["tenant"], one["learner_id"])
    return WrappedKey(one["key"], owner, one["bucket"], base64.b64decode(one["wrapped"]))


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + MOST] for start in range(0, len(names), MOST)]
