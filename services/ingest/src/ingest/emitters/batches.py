"""A batch of an emitter, stored in part: the good statements are stored, each refused one goes to the quarantine.

The answer is 200 with the ids of those that are stored, in the order of the request (1.0.3 Communication 2.1.2: the ids
of the stored statements); the headers `Trellis-Quarantined` and `Trellis-Quarantined-Indexes` tell of the others. Where
the quarantine takes no more, the batch is refused as the standard says: nothing of it is stored.

A refused statement is durable in the quarantine before the answer; what is refused for what it is goes there before
anything is stored, so that a repetition after a crash finds everything in its place.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from service_kit import metrics
from service_kit.problems import BadRequest, Conflict, Forbidden, Problem
from xapi import Accepted, Judgement, Rejected, StatementInvalid, Version
from xapi import Problem as Broken
from xapi.leniency import repeated_id

from ingest.credentials.credential import Credential
from ingest.emitters.keeping import Quarantine, QuarantineFull, Refused
from ingest.emitters.profiles import Ways, ways_of
from ingest.emitters.quarantine import Reason
from ingest.emitters.repeats import Repeats
from ingest.statements.recording import Recorded, Recorder
from ingest.statements.refusals import invalid

QUARANTINED: Final = "Trellis-Quarantined"
QUARANTINED_INDEXES: Final = "Trellis-Quarantined-Indexes"
_MOST_INDEXES: Final = 500
_MOST_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request. `quarantined` are indexes."""

    recorded: Recorded
    quarantined: Sequence[int] = ()
    refused: Sequence[Refused] = ()

    @property
    def headers(self) -> dict[str, str]:
        if not self.quarantined:
            return {}
        shown = ",".join(map(str, self.quarantined[:_MOST_INDEXES]))
        return {QUARANTINED: str(len(self.quarantined)), QUARANTINED_INDEXES: shown}


@dataclass(slots=True)
class _Batch:
    """A batch on its way: what is still good, what is not, and why."""

    pending: list[Accepted]
    refused: list[Refused] = field(default_factory=list)
    not_recorded: int = 0

    def take_out(self, error: Problem) -> list[tuple[int, Accepted]]:
        """Those statements that the error names, with their place among the pending."""
        named = {place["index"] for place in error.errors if "index" in place}
        out = [(position, one) for position, one in enumerate(self.pending) if position in named]
        if not out:
            raise error
        self.pending = [one for position, one in enumerate(self.pending) if position not in named]
        return out


class Batches:
    def __init__(self, recorder: Recorder, quarantine: Quarantine, repeats: Repeats) -> None:
        self._recorder = recorder
        self._quarantine = quarantine
        self._repeats = repeats
        self._allowances = metrics.counter(metrics.EMITTER_ALLOWANCES)

    async def take(self, credential: Credential, version: Version, judged: Judgement) -> Taken:
        """Raises `BadRequest`, `Conflict`, `Forbidden`, `PolicyUnknown`.

        A single statement, and any of an emitter whose batches are not stored in part, is stored or refused as ever.
        """
        ways = ways_of(credential.profile)
        accepted = await self._named(ways, credential, judged.accepted)
        if not (judged.is_array and ways.partial):
            taken = await self._whole(credential, version, judged, accepted)
        else:
            taken = await self._in_part(credential, version, judged, accepted)
        self._count(credential, judged.accepted)
        return taken

    async def _named(self, ways: Ways, credential: Credential, accepted: Sequence[Accepted]) -> list[Accepted]:
        if not ways.repeats:
            return list(accepted)
        named = await self._repeats.named(credential, [one.parsed for one in accepted])
        return [Accepted(one.index, parsed, one.allowances) for one, parsed in zip(accepted, named, strict=True)]

    async def _whole(
        self, credential: Credential, version: Version, judged: Judgement, accepted: Sequence[Accepted]
    ) -> Taken:
        if judged.rejected or judged.twins:
            raise _all_invalid(judged)
        batch = [one.parsed for one in accepted]
        return Taken(await self._recorder.record(credential, version, batch, is_array=judged.is_array))

    async def _in_part(
        self, credential: Credential, version: Version, judged: Judgement, accepted: Sequence[Accepted]
    ) -> Taken:
        batch = _Batch(list(accepted), [_invalid(one) for one in judged.rejected])
        try:
            kept = await self._quarantine.keep(credential, version, batch.refused) if batch.refused else []
        except QuarantineFull:
            raise _all_invalid(judged) from None
        recorded = await self._record(credential, version, batch, kept)
        ids = dict(zip((one.index for one in batch.pending), recorded.ids, strict=True))
        ids |= {index: ids[first] for index, first in judged.twins.items() if first in ids}
        dropped = recorded.not_recorded + batch.not_recorded + len(batch.refused) - len(kept)
        return Taken(Recorded([ids[index] for index in sorted(ids)], dropped), sorted(kept), batch.refused)

    async def _record(self, credential: Credential, version: Version, batch: _Batch, kept: list[int]) -> Recorded:
        """Record what is good. What turns out to be in the way is taken out, and the rest is tried again."""
        while batch.pending:
            good = [one.parsed for one in batch.pending]
            try:
                return await self._recorder.record(credential, version, good, is_array=True)
            except Conflict as error:
                places = [one.index for one in batch.pending]
                conflicts = [_conflict(one, position, error) for position, one in batch.take_out(error)]
                try:
                    kept += await self._quarantine.keep(credential, version, conflicts)
                except QuarantineFull:
                    raise _in_request(error, places) from None
                batch.refused += conflicts
            except Forbidden as error:
                batch.not_recorded += len(batch.take_out(error))
                if not batch.pending and not batch.refused:
                    raise
        return Recorded([], 0)

    def _count(self, credential: Credential, accepted: Sequence[Accepted]) -> None:
        for allowance, count in Counter(used for one in accepted for used in one.allowances).items():
            self._allowances.add(count, {"profile": credential.profile.value, "allowance": allowance.value})


def _invalid(one: Rejected) -> Refused:
    reasons = tuple(Reason(problem.path, problem.reason) for problem in one.problems)
    return Refused(one.index, one.value, BadRequest.status, reasons)


def _conflict(one: Accepted, position: int, error: Problem) -> Refused:
    """Pointers into the statement."""
    prefix = f"/{position}"
    reasons = tuple(
        Reason(str(place["pointer"]).removeprefix(prefix), str(place["detail"]))
        for place in error.errors
        if place.get("index") == position
    )
    return Refused(one.index, one.parsed.raw, error.status, reasons)


def _all_invalid(judged: Judgement) -> BadRequest:
    """As if the body had been read by the standard: every problem, with pointers into the body."""
    problems = [
        Broken(f"/{one.index}{problem.path}" if judged.is_array else problem.path, problem.reason)
        for one in judged.rejected
        for problem in one.problems
    ]
    problems += [Broken(f"/{index}/id", repeated_id(first)) for index, first in judged.twins.items()]
    return invalid(StatementInvalid(tuple(problems[:_MOST_PROBLEMS])))


def _in_request(error: Conflict, places: Sequence[int]) -> Conflict:
    """The same conflict with the statements' places in the request."""
    errors = [
        {
            **place,
            "index": places[place["index"]],
            "pointer": f"/{places[place['index']]}{str(place['pointer']).removeprefix('/' + str(place['index']))}",
        }
        for place in error.errors
    ]
    return Conflict(error.detail, errors=errors)
