"""The other services, as privacy calls them: with its own token, of one tenant (as insights calls ingest)."""

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx2
import jwt
from service_kit.auth import tenant_of
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
        self._token = settings.service_token.get_secret_value()
        self._urls = {
            "ingest": settings.ingest_url,
            "learner_profile": settings.learner_profile_url,
            "recommendation": settings.recommendation_url,
            "insights": settings.insights_url,
        }

    async def held(self, service: str, learner: str) -> AsyncIterator[Item]:
        """What it holds on the learner, to the end. Raises `PeerAway`."""
        try:
            async with self._http.stream("GET", self._url(service, learner, "data"), headers=self._headers()) as answer:
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

    async def post(self, service: str, learner: str, what: str, body: Any) -> Any:
        """Have it carry something out for the learner. Raises `PeerAway`, `PeerRefuses`."""
        try:
            answer = await self._http.post(self._url(service, learner, what), json=body, headers=self._headers())
        except (httpx2.HTTPError, OSError) as error:
            raise PeerAway(service, type(error).__name__) from None
        if answer.status_code in _FINAL:
            raise PeerRefuses(_detail(answer))
        if not answer.is_success:
            raise PeerAway(service, str(answer.status_code))
        return answer.json()

    async def learners(self, after: str, limit: int) -> list[str]:
        """The tenant's learners, those behind `after`. Raises `PeerAway`."""
        url = f"{self._urls['ingest'].rstrip('/')}/subjects"
        answer = await self._asked("GET", url, params={"after": after, "limit": limit})
        return [str(one) for one in answer.json()["items"]]

    async def tenant(self, service: str, what: str) -> None:
        """Have it do something for the whole tenant. Raises `PeerAway`."""
        await self._asked("POST", f"{self._urls[service].rstrip('/')}/subjects/{what}")

    async def _asked(self, method: str, url: str, **options: Any) -> httpx2.Response:
        try:
            answer = await self._http.request(method, url, headers=self._headers(), **options)
        except (httpx2.HTTPError, OSError) as error:
            raise PeerAway("ingest", type(error).__name__) from None
        if not answer.is_success:
            raise PeerAway("ingest", str(answer.status_code))
        return answer

    def _url(self, service: str, learner: str, what: str) -> str:
        return f"{self._urls[service].rstrip('/')}/subjects/{learner}/{what}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def serves(self, tenant: str) -> bool:
        """Whether privacy's token is of this tenant: the services answer for the tenant of the token."""
        return bool(self._token) and _tenant(self._token) == tenant


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


def _tenant(token: str) -> str | None:
    """The tenant that our own token names; the services check the token, we only ask whose it is."""
    try:
        return tenant_of(jwt.decode(token, options={"verify_signature": False}))
    except jwt.PyJWTError:
        return None
