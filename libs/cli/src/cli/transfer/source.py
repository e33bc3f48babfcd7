"""Another LRS, read through its xAPI interface in the order of `stored`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2
from xapi import timestamps

from cli.oulad.errors import ImportStopped
from cli.oulad.posting import Patience, persistently, reason_of
from cli.transfer import parts
from cli.transfer.pages import Given, NotAPage, read, read_one

CONSISTENT_THROUGH: Final = "X-Experience-API-Consistent-Through"


@dataclass(frozen=True, slots=True)
class Page:
    """`through`: nothing will be added up to here, as far as the source says so. `data`: what attachments hold, by
    their hash; the files are there until the next page is asked for.
    """

    statements: list[Given]
    through: datetime | None
    data: Mapping[str, Path]


@dataclass
class _Got:
    """An answer that is read."""

    answer: httpx2.Response = field(default_factory=lambda: httpx2.Response(500))
    body: bytes = b""
    data: dict[str, Path] = field(default_factory=dict)


class Source:
    """Walks `GET /statements?ascending=true` by `more`; waits where the source is busy."""

    def __init__(
        self, http: httpx2.AsyncClient, endpoint: str, version: str, patience: Patience, *, attachments: bool = True
    ) -> None:
        self._http = http
        self._attachments = {"attachments": "true"} if attachments else {}
        self._url = f"{endpoint.rstrip('/')}/statements"
        self._headers = {"X-Experience-API-Version": version}
        self._patience = patience

    async def pages(self, since: str) -> AsyncIterator[Page]:
        """Everything stored after `since` (exclusive; empty: from the beginning). Raises `ImportStopped`."""
        asked = {"ascending": "true", "format": "exact"} | self._attachments | ({"since": since} if since else {})
        url, params = self._url, asked
        while True:
            with TemporaryDirectory(prefix="trellis-import-") as folder:
                got = await self._get(url, params, Path(folder))
                self._expect_success(got.answer, url)
                try:
                    statements, more = read(got.body)
                except NotAPage as error:
                    raise ImportStopped(f"{self._url}: {error}") from None
                yield Page(statements, _moment(got.answer.headers.get(CONSISTENT_THROUGH)), got.data)
            if not more:
                return
            url, params = self._next(more), {}

    async def voided(self, statement_id: str) -> Given | None:
        """A voided statement, which no page holds; None where the source does not show it."""
        with TemporaryDirectory(prefix="trellis-import-") as folder:
            got = await self._get(self._url, {"voidedStatementId": statement_id}, Path(folder))
        try:
            return read_one(got.body) if got.answer.is_success else None
        except NotAPage:
            return None

    def _next(self, more: str) -> str:
        """`more` may be relative or absolute, and behind a proxy name a host that only the source knows. The key goes
        nowhere else: host and scheme stay those of the endpoint.
        """
        own, found = urlsplit(self._url), urlsplit(urljoin(self._url, more))
        return urlunsplit((own.scheme, own.netloc, found.path, found.query, ""))

    async def _get(self, url: str, params: dict[str, str], folder: Path) -> _Got:
        got = _Got()
        options: dict[str, Any] = {"params": params} if params else {}  # an empty mapping would cut the query off

        async def send() -> httpx2.Response:
            async with self._http.stream("GET", url, headers=self._headers, **options) as answer:
                got.answer = answer
                got.body, got.data = await parts.received(answer, folder)
            return answer

        try:
            await persistently(send, self._url, self._patience)
        except NotAPage as error:
            raise ImportStopped(f"{self._url}: {error}") from None
        return got

    def _expect_success(self, answer: httpx2.Response, url: str) -> None:
        if not answer.is_success:
            where = " while following `more`" if url != self._url else ""
            raise ImportStopped(f"{self._url} answers {answer.status_code}{where}: {reason_of(answer)}")


def _moment(text: str | None) -> datetime | None:
    try:
        return timestamps.parse(text) if text else None
    except ValueError:
        return None
