"""Statements to an LRS in batches: waits where it is busy or away, halves what it refuses."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import orjson

from cli.oulad.dataset import LONGEST_SHOWN, Refusal
from cli.oulad.errors import ImportStopped
from cli.oulad.progress import Delivery
from cli.oulad.statements import Made

NOT_RECORDED: Final = "Trellis-Not-Recorded"
PATIENCE_SECONDS: Final = 300.0
TIMEOUT_SECONDS: Final = 60.0
_HEADERS: Final = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}
_FIRST_WAIT_SECONDS: Final = 0.25
_LONGEST_WAIT_SECONDS: Final = 15.0
_REFUSING: Final = frozenset({400, 409, 413, 422})


@dataclass(frozen=True)
class Patience:
    """How long to try again, and how time passes."""

    seconds: float = PATIENCE_SECONDS
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic


class Poster:
    """Posts batches of statements; several may be on their way at once."""

    def __init__(self, http: httpx2.AsyncClient, xapi: str, patience: Patience | None = None) -> None:
        self._http = http
        self._url = f"{xapi.rstrip('/')}/statements"
        self._patience = patience or Patience()

    async def deliver(self, batch: Sequence[Made]) -> Delivery:
        """Post until answered. A refused batch is halved until what is refused stands alone.

        Raises `ImportStopped` where the LRS stays away, or refuses whoever posts.
        """
        body = orjson.dumps([made.statement for made in batch])
        answer = await persistently(
            lambda: self._http.post(self._url, content=body, headers=_HEADERS), self._url, self._patience
        )
        if answer.is_success:
            left_out = _number(answer.headers.get(NOT_RECORDED))
            return Delivery(accepted=len(batch) - left_out, not_recorded=left_out)
        if not _refuses_statements(answer):
            raise ImportStopped(f"{self._url} answers {answer.status_code}: {reason_of(answer)}")
        if len(batch) == 1:
            ((file, line, _),) = batch
            return Delivery(refused=(Refusal(file, line, f"{answer.status_code}: {reason_of(answer)}"),))
        half = len(batch) // 2
        return await self.deliver(batch[:half]) + await self.deliver(batch[half:])


async def persistently(send: Callable[[], Awaitable[httpx2.Response]], url: str, patience: Patience) -> httpx2.Response:
    """The first answer that is neither 429 nor 5xx; between attempts Retry-After, else longer and longer waits.

    Raises `ImportStopped` when patience ends, and at once where the address is none.
    """
    until = patience.now() + patience.seconds
    wait = _FIRST_WAIT_SECONDS
    while True:
        asked: float | None = None
        try:
            answer = await send()
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise ImportStopped(f"{url} is no address of an LRS: {error}") from None
        except httpx2.TransportError as error:
            last = type(error).__name__
        else:
            if answer.status_code != httpx2.codes.TOO_MANY_REQUESTS and not answer.is_server_error:
                return answer
            last = f"{answer.status_code}: {reason_of(answer)}"
            asked = _seconds(answer.headers.get("Retry-After"))
        if patience.now() >= until:
            raise ImportStopped(
                f"{url} does not take anything since {patience.seconds:.0f} s ({last}); "
                "the same command goes on where this one stopped"
            )
        await patience.sleep(wait * random.uniform(0.75, 1.25) if asked is None else asked)  # noqa: S311 — no secret
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


def reason_of(answer: httpx2.Response) -> str:
    """Of a problem document (RFC 9457): the first place and its detail, else the detail; else the text's beginning."""
    problem = _problem(answer)
    for error in problem.get("errors", ()):
        if isinstance(error, dict) and "detail" in error:
            place = error.get("pointer") or error.get("parameter") or error.get("header") or ""
            return f"{place} {error['detail']}".strip()[:LONGEST_SHOWN]
    return str(problem.get("detail") or answer.text.strip() or "no reason given")[:LONGEST_SHOWN]


def _refuses_statements(answer: httpx2.Response) -> bool:
    """403 with places is about statements (a learner does not allow recording), without any about the credential."""
    if answer.status_code == httpx2.codes.FORBIDDEN:
        return bool(_problem(answer).get("errors"))
    return answer.status_code in _REFUSING


def _problem(answer: httpx2.Response) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(retry_after: str | None) -> float | None:
    """A date (RFC 9110 10.2.3 allows one) counts as not given."""
    if retry_after is None or not retry_after.isdigit():
        return None
    return min(max(float(retry_after), 0.1), 60.0)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0
