"""A quarantined statement once more: judged anew, as it was or edited, and stored as if its credential had sent it."""

from dataclasses import dataclass, replace
from uuid import UUID

from service_kit.problems import Conflict, NotFound
from xapi import JsonObject, Parsed, StatementInvalid, Version, judge_statement, loads, timestamps

from ingest.credentials.credential import Credential
from ingest.credentials.repository import CredentialRepository
from ingest.emitters.profiles import ways_of
from ingest.emitters.quarantine import Quarantined, QuarantineRepository
from ingest.statements.recording import Recorder
from ingest.statements.refusals import invalid


@dataclass(frozen=True, slots=True)
class Replayed:
    """`recorded` is false where the learner does not allow recording any more: then it is in no place now."""

    statement_id: str
    recorded: bool


async def replay(
    tenant: str,
    quarantine_id: str,
    edited: JsonObject | None,
    *,
    quarantine: QuarantineRepository,
    credentials: CredentialRepository,
    recorder: Recorder,
) -> Replayed:
    """Raises `NotFound`, `BadRequest`, `Conflict`, `Forbidden`; then it stays where it is.

    A statement without an id gets one that belongs to its place in the quarantine, so that a replay whose answer was
    lost stores nothing twice; one without a timestamp gets the time when it first came.
    """
    found = await quarantine.one(tenant, quarantine_id)
    if found is None:
        raise NotFound("There is no such statement in quarantine")
    held, data = found
    credential = await _credential(held, credentials)
    parsed = _judged(held, credential, loads(data) if edited is None else edited)
    try:
        recorded = await recorder.record(credential, Version(held.version), [_dated(parsed, held)], is_array=False)
    except Conflict:  # it may be there already, with the time when that one came
        recorded = await recorder.record(credential, Version(held.version), [parsed], is_array=False)
    await quarantine.remove(tenant, quarantine_id)
    return Replayed(recorded.ids[0], recorded.not_recorded == 0)


async def _credential(held: Quarantined, credentials: CredentialRepository) -> Credential:
    known = await credentials.known(held.credential)
    if known is None or known.credential.tenant != held.tenant:
        raise Conflict("The credential that sent the statement is gone; post the statement with another one")
    return known.credential


def _judged(held: Quarantined, credential: Credential, raw: JsonObject) -> Parsed:
    try:
        parsed = judge_statement(raw, Version(held.version), ways_of(credential.profile).allowances).parsed
    except StatementInvalid as error:
        raise invalid(error) from None
    return parsed if parsed.id else replace(parsed, raw={**parsed.raw, "id": _id_of(held.id)})


def _dated(parsed: Parsed, held: Quarantined) -> Parsed:
    if "timestamp" in parsed.raw:
        return parsed
    return replace(parsed, raw={**parsed.raw, "timestamp": timestamps.render(held.received_at)})


def _id_of(quarantine_id: str) -> str:
    """A UUID of version 8 (RFC 9562 5.8) of the same bits."""
    return str(UUID(int=UUID(hex=quarantine_id).int & ~(0xF << 76) & ~(0x3 << 62) | 8 << 76 | 2 << 62))
