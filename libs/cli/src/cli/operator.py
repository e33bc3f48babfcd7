"""Services as an operator or officer reaches them: the running stack's, or others by `--url` and `--token`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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
    """The service was not reached, or said no."""


class Api:
    """Answers as JSON. Raises `Refused` with the one line that says why."""

    def __init__(self, service: str, http: httpx2.Client) -> None:
        self._service = service
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
            raise Refused(f"{self._service} does not answer: {type(error).__name__}") from None
        if not answer.is_success:
            raise Refused(reason(self._service, answer))
        return answer.json() if answer.content else None


def ingest(url: str | None, token: str) -> AbstractContextManager[Api]:
    """Raises `Refused` where no stack is running and none is named."""
    return _service("ingest", url, token)


def privacy(url: str | None, token: str) -> AbstractContextManager[Api]:
    """Raises `Refused` where no stack is running and none is named."""
    return _service("privacy", url, token)


@contextmanager
def _service(service: str, url: str | None, token: str) -> Iterator[Api]:
    if url is None:
        url, token = running(service)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS) as http:
        yield Api(service, http)
