"""Ingest as an operator reaches it: the running stack's, or another by `--url` and `--token`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import quote

import httpx2
import typer
from devstack.errors import StackError
from devstack.paths import data_dir

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
            raise Refused(_reason(answer))
        return answer.json() if answer.content else None


@contextmanager
def ingest(url: str | None, token: str) -> Iterator[Ingest]:
    """Raises `Refused` where no stack is running and none is named."""
    if url is None:
        url, token = _running()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS) as http:
        yield Ingest(http)


def _running() -> tuple[str, str]:
    file = data_dir() / "stack.json"
    try:
        stack = json.loads(file.read_bytes())
        return stack["ingest"]["url"], stack["operator_token"]
    except FileNotFoundError:
        raise Refused("no stack is running: `make up` starts one; or name ingest with --url") from None
    except (ValueError, KeyError):
        raise Refused(f"{file} is not the description of a stack; name ingest with --url") from None


def _reason(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
        errors = problem.get("errors", [])
        places = [f"{one.get('pointer') or one.get('parameter', '')}: {one['detail']}" for one in errors]
        return "; ".join([problem["detail"], *places[1:]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"ingest answered {answer.status_code}"
