"""A record, written as it is read: statements from ingest, the state from here, the signatures from privacy."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import orjson
from service_kit.archives import Archive, Entry
from service_kit.peers import Peers
from service_kit.subjects import Record

from learner_profile.learners.placing import Placed, Placing
from learner_profile.learners.profiles import Profile
from learner_profile.learners.schemas import LearnerOut
from learner_profile.records import credentials
from learner_profile.records.credentials import File
from learner_profile.records.readme import README, readme
from learner_profile.records.state import document

CHUNK: Final = 256 * 1024
AT_ONCE: Final = 500
STATEMENTS: Final = "statements.jsonl"
STATE: Final = "state.jsonld"
CLR: Final = "credentials/clr.jwt"
MANIFEST: Final = "record.jwt"
FOLDER: Final = "credentials"
_TYPES: Final = {
    ".jsonl": "application/x-ndjson",
    ".jsonld": "application/ld+json",
    ".jwt": "application/jwt",
    ".txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose record. `profile` None: the purpose `profile` is stopped, and only statements go along."""

    tenant: str
    everyone: Sequence[str]
    profile: Profile | None
    made_at: datetime

    @property
    def learner(self) -> str:
        return self.everyone[0]


async def record(wanted: Wanted, placing: Placing, peers: Peers) -> AsyncIterator[bytes]:
    """The ZIP, chunk by chunk. Raises `PeerAway`."""
    archive, agents = Archive(wanted.made_at), list[Mapping[str, Any]]()
    archive.put(README, readme(wanted.profile is not None))
    for one in wanted.everyone:
        async for item in peers.held("ingest", wanted.tenant, one):
            if isinstance(item, Record) and item.part == "identifiers":
                agents.append(orjson.loads(item.data)["agent"])
            elif isinstance(item, Record) and item.part == "statements":
                archive.line(STATEMENTS, item.data)
            if archive.waiting >= CHUNK:
                yield archive.taken(CHUNK)
    if wanted.profile is not None and wanted.profile.state is not None:
        await _add_state(wanted, await placing(wanted.profile, wanted.made_at), archive, peers)
    said = credentials.manifest(wanted.learner, agents, map(_file, archive.entries), wanted.made_at)
    (signed,) = await peers.signed(wanted.tenant, [said])
    archive.put(MANIFEST, signed.encode())
    archive.close()
    while archive.waiting:
        yield archive.taken(CHUNK)


async def _add_state(wanted: Wanted, placed: Placed, archive: Archive, peers: Peers) -> None:
    if wanted.profile is None:
        return
    model, signed = LearnerOut.of(wanted.profile, placed), partial(peers.signed, wanted.tenant)
    archive.put(STATE, orjson.dumps(document(model)))
    told = [
        credentials.achievement(wanted.learner, c, wanted.made_at) for c in credentials.mastered(model.competencies)
    ]
    jwts = [jwt for start in range(0, len(told), AT_ONCE) for jwt in await signed(told[start : start + AT_ONCE])]
    for number, jwt in enumerate(jwts, start=1):
        archive.put(f"{FOLDER}/{number}.jwt", jwt.encode())
    if jwts:
        (together,) = await signed([credentials.clr(wanted.learner, jwts, wanted.made_at)])
        archive.put(CLR, together.encode())


def _file(entry: Entry) -> File:
    ending = entry.name[entry.name.rindex(".") :]
    return File(entry.name, _TYPES[ending], entry.digest.hexdigest(), entry.size, entry.records)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
