"""Another LRS, read through its xAPI interface in the order of `stored`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2
from xapi import timestamps

from cli.oulad.errors import ImportStopped
from cli.oulad.posting import Patience, persistently, reason_of
from cli.transfer.pages import Given, NotAPage, read, read_one

CONSISTENT_THROUGH: Final = "X-Experience-API-Consistent-Through"


@dataclass(frozen=True, slots=True)
class Page:
    """`through`: nothing will be added up to here, as far as the source says so."""

    statements: list[Given]
    through: datetime | None


class Source:
    """Walks `GET /statements?ascending=true` by `more`; waits where the source is busy."""

    def __init__(self, http: httpx2.AsyncClient, endpoint: str, version: str, patience: Patience) -> None:
        self._http = http
        self._url = f"{endpoint.rstrip('/')}/statements"
        self._headers = {"X-Experience-API-Version": version}
        self._patience = patience

    async def pages(self, since: str) -> AsyncIterator[Page]:
        """Everything stored after `since` (exclusive; empty: from the beginning). Raises `ImportStopped`."""
        url, params = self._url, {"ascending": "true", "format": "exact"} | ({"since": since} if since else {})
        while True:
            answer = await self._get(url, params)
            self._expect_success(answer, url)
            try:
                statements, more = read(answer.content)
            except NotAPage as error:
                raise ImportStopped(f"{self._url}: {error}") from None
            yield Page(statements, _moment(answer.headers.get(CONSISTENT_THROUGH)))
            if not more:
                return
            url, params = self._next(more), {}

    async def voided(self, statement_id: str) -> Given | None:
        """A voided statement, which no page holds; None where the source does not show it."""
        answer = await self._get(self._url, {"voidedStatementId": statement_id})
        if not answer.is_success:
            return None
        try:
            return read_one(answer.content)
        except NotAPage:
            return None

    def _next(self, more: str) -> str:
        """`more` may be relative or absolute, and behind a proxy name a host that only the source knows. The key goes
        nowhere else: host and scheme stay those of the endpoint.
        """
        own, found = urlsplit(self._url), urlsplit(urljoin(self._url, more))
        return urlunsplit((own.scheme, own.netloc, found.path, found.query, ""))

    async def _get(self, url: str, params: dict[str, str]) -> httpx2.Response:
        async def send() -> httpx2.Response:
            options: dict[str, Any] = {"params": params} if params else {}  # an empty mapping would cut the query off
            return await self._http.get(url, headers=self._headers, **options)

        return await persistently(send, self._url, self._patience)

    def _expect_success(self, answer: httpx2.Response, url: str) -> None:
        if not answer.is_success:
            where = " while following `more`" if url != self._url else ""
            raise ImportStopped(f"{self._url} answers {answer.status_code}{where}: {reason_of(answer)}")


def _moment(text: str | None) -> datetime | None:
    try:
        return timestamps.parse(text) if text else None
    except ValueError:
        return None
