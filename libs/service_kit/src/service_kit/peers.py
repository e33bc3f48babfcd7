"""The other services, as a service calls them: with its own token, for one tenant at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import httpx2

from service_kit.own_token import OwnToken
from service_kit.settings import PeerSettings
from service_kit.subjects import Item, parsed

TIMEOUT_SECONDS: Final = 60.0
_FINAL: Final = frozenset({400, 404, 409, 413, 422})
LONGEST_LINE: Final = 64 * 1024 * 1024


class PeerRefuses(Exception):
    """The service will not do it, however often it is asked."""


class PeerAway(Exception):
    """The service did not answer, broke off, or said no; `reason` names no one."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.reason = reason


class Peers:
    def __init__(self, http: httpx2.AsyncClient, settings: PeerSettings) -> None:
        self._http = http
        self._token = OwnToken(settings)
        self.serves = self._token.serves
        self._urls = {
            "ingest": settings.ingest_url,
            "learner_profile": settings.learner_profile_url,
            "recommendation": settings.recommendation_url,
            "insights": settings.insights_url,
            "privacy": settings.privacy_url,
        }

    async def held(self, service: str, tenant: str, learner: str) -> AsyncIterator[Item]:
        """What it holds on the learner, to the end. Raises `PeerAway`."""
        try:
            url, headers = self._url(service, learner, "data"), self._token.headers(tenant)
            async with self._http.stream("GET", url, headers=headers) as answer:
                if not answer.is_success:
                    raise PeerAway(service, str(answer.status_code))
                ended = False
                async for line in _lines(answer):
                    item = parsed(line)
                    if isinstance(item, dict):
                        ended = True
                    else:
                        yield item
                if not ended:
                    raise PeerAway(service, "the stream broke off")
        except (httpx2.HTTPError, ValueError, KeyError, OSError) as error:
            raise PeerAway(service, type(error).__name__) from None

    async def post(self, service: str, tenant: str, learner: str, what: str, body: Any) -> Any:
        """Have it carry something out for the learner. Raises `PeerAway`, `PeerRefuses`."""
        try:
            url, headers = self._url(service, learner, what), self._token.headers(tenant)
            answer = await self._http.post(url, json=body, headers=headers)
        except (httpx2.HTTPError, OSError) as error:
            raise PeerAway(service, type(error).__name__) from None
        if answer.status_code in _FINAL:
            raise PeerRefuses(_detail(answer))
        if not answer.is_success:
            raise PeerAway(service, str(answer.status_code))
        return answer.json()

    async def signed(self, tenant: str, credentials: Sequence[Mapping[str, Any]]) -> list[str]:
        """The credentials signed by privacy, in order. Raises `PeerAway`."""
        url = f"{self._urls['privacy'].rstrip('/')}/signatures"
        answer = await self._asked("privacy", "POST", url, tenant, json={"credentials": list(credentials)})
        return [str(one) for one in answer.json()["items"]]

    async def children(self, token: str) -> list[str]:
        """The learners for whom the holder of this token acts now, by privacy's word. Raises `PeerAway`."""
        url = f"{self._urls['privacy'].rstrip('/')}/guardians/me"
        answer = await self._called("privacy", "GET", url, headers={"Authorization": f"Bearer {token}"})
        return [str(one["learner_id"]) for one in answer.json() if one["active"]]

    async def learners(self, tenant: str, after: str, limit: int) -> list[str]:
        """The tenant's learners, those behind `after`. Raises `PeerAway`."""
        url = f"{self._urls['ingest'].rstrip('/')}/subjects"
        answer = await self._asked("ingest", "GET", url, tenant, params={"after": after, "limit": limit})
        return [str(one) for one in answer.json()["items"]]

    async def whole(self, service: str, tenant: str, what: str) -> None:
        """Have it do something for the whole tenant. Raises `PeerAway`."""
        await self._asked(service, "POST", f"{self._urls[service].rstrip('/')}/subjects/{what}", tenant)

    async def _asked(self, service: str, method: str, url: str, tenant: str, **options: Any) -> httpx2.Response:
        return await self._called(service, method, url, headers=self._token.headers(tenant), **options)

    async def _called(self, service: str, method: str, url: str, **options: Any) -> httpx2.Response:
        try:
            answer = await self._http.request(method, url, **options)
        except (httpx2.HTTPError, OSError) as error:
            raise PeerAway(service, type(error).__name__) from None
        if not answer.is_success:
            raise PeerAway(service, str(answer.status_code))
        return answer

    def _url(self, service: str, learner: str, what: str) -> str:
        return f"{self._urls[service].rstrip('/')}/subjects/{learner}/{what}"


def _detail(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)


async def _lines(answer: httpx2.Response) -> AsyncIterator[bytes]:
    """Split at line feeds alone: JSON may hold other separators of lines as they are."""
    rest = bytearray()
    async for chunk in answer.aiter_bytes():
        rest += chunk
        *whole, last = bytes(rest).split(b"\n")
        for line in whole:
            if line:
                yield line
        rest = bytearray(last)
        if len(rest) > LONGEST_LINE:
            raise ValueError("a line without end")
    if rest:
        raise ValueError("a line without end")
