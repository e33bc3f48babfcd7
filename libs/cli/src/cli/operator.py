"""Ingest as an operator reaches it: the running stack's, or another by `--url` and `--token`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import quote

import httpx2
import typer
from devstack.errors import StackError

from cli.running import reason, running

Url = Annotated[str | None, typer.Option(help="Ingest, instead of the running stack's")]
Token = Annotated[str, typer.Option(envvar="TRELLIS_TOKEN", help="Operator's token that goes with --url")]
_TIMEOUT_SECONDS = 30


class Refused(StackError):
    """Ingest was not reached, or said no."""


class Ingest:
    """Answers as JSON. Raises `Refused` with the one line that says why."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def get(self, *path: str, **params: Any) -> Any:
        return self._asked("GET", path, params={k: v for k, v in params.items() if v is not None})

    def post(self, *path: str, body: bytes = b"") -> Any:
        return self._asked("POST", path, content=body, headers={"Content-Type": "application/json"})

    def delete(self, *path: str) -> None:
        self._asked("DELETE", path)

    def _asked(self, method: str, path: tuple[str, ...], **options: Any) -> Any:
        try:
            answer = self._http.request(method, "/" + "/".join(quote(part, safe="") for part in path), **options)
        except httpx2.HTTPError as error:
            raise Refused(f"ingest does not answer: {type(error).__name__}") from None
        if not answer.is_success:
            raise Refused(reason("ingest", answer))
        return answer.json() if answer.content else None


@contextmanager
def ingest(url: str | None, token: str) -> Iterator[Ingest]:
    """Raises `Refused` where no stack is running and none is named."""
    if url is None:
        url, token = running("ingest")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS) as http:
        yield Ingest(http)
