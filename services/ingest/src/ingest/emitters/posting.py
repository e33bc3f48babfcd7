"""Requests of a named emitter, and of a credential that is watched: read statement by statement.

Everything else goes the short way (`ingest.statements.endpoints`): a strict credential that nobody watches, what comes
as multipart (its attachments are all there or the request is refused), and launches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson
from fastapi import Request, Response
from service_kit import metrics
from service_kit.problems import BadRequest, Problem, TooLarge
from xapi import Accepted, Judgement, Rejected, StatementInvalid, Version, judge_statements
from xapi import Problem as Broken
from xapi.parsing import JsonObject

from ingest.attachments.signatures import is_signature
from ingest.credentials.credential import Credential
from ingest.credentials.profiles import Profile
from ingest.emitters.batches import Batches, Taken
from ingest.emitters.observing import Tally
from ingest.emitters.profiles import ways_of
from ingest.emitters.quarantine import Reason
from ingest.emitters.watching import Watcher
from ingest.statements.refusals import invalid

JSON: Final = "application/json"
NOT_RECORDED: Final = "Trellis-Not-Recorded"
_NEEDS_DATA: Final = "expected a fileUrl, or the data in multipart/mixed"


class Posting:
    def __init__(self, batches: Batches, watcher: Watcher) -> None:
        self._batches = batches
        self._watcher = watcher
        self._refused = metrics.counter(metrics.STATEMENTS_REFUSED)

    def is_for(self, request: Request, credential: Credential) -> bool:
        """Whether this request goes this way."""
        if credential.profile is Profile.strict and not self._watcher.watches(credential):
            return False
        media_type = request.headers.get("Content-Type", JSON).partition(";")[0].strip().lower()
        return credential.limits is None and media_type == JSON

    async def post(self, request: Request, credential: Credential, version: Version, limit: int) -> Response:
        """A POST. Raises `BadRequest`, `Conflict`, `Forbidden`, `TooLarge`."""
        taken = await self._take(await request.body(), credential, version, limit, None)
        return Response(orjson.dumps(taken.recorded.ids), 200, _headers(taken), JSON)

    async def put(self, request: Request, credential: Credential, version: Version, wanted: str) -> Response:
        """A PUT of the statement with this id. Raises as `post` does."""
        taken = await self._take(await request.body(), credential, version, 1, wanted)
        return Response(status_code=204, headers=_headers(taken))

    async def _take(
        self, body: bytes, credential: Credential, version: Version, limit: int, wanted: str | None
    ) -> Taken:
        tallies = self._watcher.seen(credential, version.value)
        try:
            judged = _judged(body, credential, version, limit)
            judged = judged if wanted is None else _one_of(judged, wanted)
            self._watcher.statements(tallies, judged.accepted)
            taken = await self._batches.take(credential, version, judged)
        except Problem as error:
            if isinstance(error, BadRequest):
                self._refused.add(1)
            self._watcher.refused(tallies, list(_reasons(error)), request=True)
            raise
        self._tell(tallies, taken)
        return taken

    def _tell(self, tallies: Sequence[Tally], taken: Taken) -> None:
        for refused in taken.refused:
            self._watcher.refused(tallies, [_in_batch(reason) for reason in refused.reasons])
        dropped = taken.recorded.not_recorded
        stored = len(taken.recorded.ids) - dropped + len(taken.refused) - len(taken.quarantined)
        self._watcher.outcome(tallies, stored=stored, quarantined=len(taken.quarantined), not_recorded=dropped)


def _judged(body: bytes, credential: Credential, version: Version, limit: int) -> Judgement:
    try:
        judged = judge_statements(body, version, ways_of(credential.profile).allowances)
    except StatementInvalid as error:
        raise invalid(error) from None
    if len(judged.accepted) + len(judged.rejected) + len(judged.twins) > limit:
        raise TooLarge(f"There are more than {limit} statements in the request")
    return _with_data(judged)


def _with_data(judged: Judgement) -> Judgement:
    """Statements that declare data which does not come with them move to the rejected ones (1.0.3 Data 2.4.11)."""
    places = {one.index: tuple(_without_data(one.parsed.raw)) for one in judged.accepted}
    if not any(places.values()):
        return judged
    rejected = [
        Rejected(one.index, one.parsed.raw, tuple(Broken(place, _NEEDS_DATA) for place in places[one.index]))
        for one in judged.accepted
        if places[one.index]
    ]
    accepted = [one for one in judged.accepted if not places[one.index]]
    return replace(judged, accepted=accepted, rejected=sorted([*judged.rejected, *rejected], key=lambda one: one.index))


def _without_data(raw: JsonObject) -> Iterator[str]:
    target: Any = raw["object"]
    parts = [(raw, "")] + ([(target, "/object")] if target.get("objectType") == "SubStatement" else [])
    for part, path in parts:
        for number, attachment in enumerate(part.get("attachments", ())):
            if "fileUrl" not in attachment or is_signature(attachment):
                yield f"{path}/attachments/{number}/fileUrl"


def _one_of(judged: Judgement, wanted: str) -> Judgement:
    """The one statement of a PUT, with the id of its parameter (1.0.3 Communication 2.1.1)."""
    if judged.is_array:
        raise _wrong("", "expected one statement, found an array")
    for one in judged.accepted:
        if one.parsed.id not in (None, wanted):
            raise _wrong("/id", "expected the id that the parameter statementId names, found another")
    return replace(judged, accepted=[_with_id(one, wanted) for one in judged.accepted])


def _with_id(one: Accepted, wanted: str) -> Accepted:
    parsed = one.parsed
    return one if parsed.id else replace(one, parsed=replace(parsed, raw={**parsed.raw, "id": wanted}))


def _wrong(pointer: str, detail: str) -> BadRequest:
    return BadRequest(
        f"Wrong input at {pointer or 'the body'}: {detail}", errors=[{"pointer": pointer, "detail": detail}]
    )


def _headers(taken: Taken) -> dict[str, str]:
    dropped = taken.recorded.not_recorded
    return taken.headers | ({NOT_RECORDED: str(dropped)} if dropped else {})


def _reasons(error: Problem) -> Iterator[Reason]:
    if not error.errors:
        yield Reason("", error.detail)
    for place in error.errors:
        yield Reason(str(place.get("pointer", "")), str(place.get("detail", "")))


def _in_batch(reason: Reason) -> Reason:
    return Reason(f"/0{reason.pointer}", reason.detail)
