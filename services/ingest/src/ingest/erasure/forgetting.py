"""Forget a learner: the own statements go, and so do the identities. Whoever comes back is someone new.

A statement about others too, or one that only mentions the learner, stays and names a pseudonymous account instead.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from uuid import uuid4

from events.sealing import Owner
from service_kit.mongo import Document, Session
from xapi import agents_of, dumps, loads
from xapi.parsing import JsonObject

from ingest.attachments.repository import AttachmentRepository
from ingest.documents.repository import DocumentRepository
from ingest.emitters.quarantine import QuarantineRepository
from ingest.erasure.rewriting import without
from ingest.forwarding.repository import ForwardingRepository
from ingest.identities.repository import Belongings, IdentityRepository
from ingest.launches.repository import LaunchRepository
from ingest.statements.indexing import tokens_to_forget
from ingest.statements.repository import StatementRepository


async def forget(
    tenant: str,
    learner: str,
    session: Session,
    *,
    statements: StatementRepository,
    identities: IdentityRepository,
    documents: DocumentRepository,
    attachments: AttachmentRepository,
    forwardings: ForwardingRepository,
    launches: LaunchRepository,
    quarantine: QuarantineRepository,
) -> Mapping[str, int]:
    """Documents removed and rewritten. Repeatable: the second time finds nothing."""
    launched = await launches.forget(tenant, learner, session)
    data = await attachments.forget(tenant, learner)
    belongings = await identities.belongings(tenant, learner, session)
    if belongings is None:
        return {
            "statements": 0,
            "statements_rewritten": 0,
            "documents": 0,
            "attachments": data,
            "launches": launched,
            "quarantine": 0,
            "identities": 0,
        }
    tokens = {token for agent in belongings.agents for token in tokens_to_forget(agent)}
    naming = await statements.naming(tenant, sorted(tokens), session)
    own = [d["_id"] for d in naming if set(d["learners"]) <= {learner, None} and learner in d["learners"]]
    mine = set(own)
    others = [document for document in naming if document["_id"] not in mine]
    await statements.remove(own, session)
    changes = await _rewritten(tenant, learner, belongings, tokens, others, statements, identities)
    await statements.rewrite(changes, session)
    await forwardings.forget(own, list(changes), session)
    refused = await quarantine.forget(tenant, belongings.digests, session)
    kept = await documents.forget(tenant, belongings.agents, session)
    removed = await identities.remove(tenant, learner, belongings, session)
    return {
        "statements": len(own),
        "statements_rewritten": len(others),
        "documents": kept,
        "attachments": data,
        "launches": launched,
        "quarantine": refused,
        "identities": removed,
    }


async def forget_part(
    tenant: str,
    learner: str,
    limit: int,
    session: Session,
    *,
    statements: StatementRepository,
    identities: IdentityRepository,
    forwardings: ForwardingRepository,
) -> Mapping[str, int]:
    """Delete some of the learner's own statements; nothing where none is left. `forget` does the rest."""
    belongings = await identities.belongings(tenant, learner, session)
    tokens = {token for agent in belongings.agents for token in tokens_to_forget(agent)} if belongings else set()
    own = await statements.own(tenant, sorted(tokens), learner, limit, session) if tokens else []
    if not own:
        return {}
    await statements.remove(own, session)
    await forwardings.forget(own, [], session)
    return {"statements": len(own)}


async def _rewritten(
    tenant: str,
    learner: str,
    belongings: Belongings,
    tokens: AbstractSet[bytes],
    documents: list[Document],
    statements: StatementRepository,
    identities: IdentityRepository,
) -> dict[str, Document]:
    """The fields to set, by `_id`."""
    bodies, origins = [], []
    for document, data in zip(documents, await statements.opened(documents), strict=True):
        raw, origin = loads(data), await _origin(document, statements)
        named = {use.ifi for part in (raw, raw | origin) for use in agents_of(part) if use.ifi is not None}
        digests = await identities.digests(tenant, named)
        forgotten = {ifi for ifi, digest in digests.items() if digest in belongings.digests}
        rest = [one for one in document["learners"] if one not in (learner, None)]
        owner, name = Owner(tenant, rest[0]), str(uuid4())
        bodies.append((owner, dumps(without(raw, forgotten.__contains__, name))))
        origins.append((owner, dumps(without(origin, forgotten.__contains__, name))))
    return {
        d["_id"]: _without_learner(d, learner, tokens)
        | {"bytes": body.data, "key": body.key}
        | ({"provenance": {"bytes": origin.data, "key": origin.key}} if "provenance" in d else {})
        for d, body, origin in zip(
            documents, await statements.sealed(bodies), await statements.sealed(origins), strict=True
        )
    }


async def _origin(document: Document, statements: StatementRepository) -> JsonObject:
    """What an imported statement was served with where it came from."""
    if "provenance" not in document:
        return {}
    (opened,) = await statements.opened([document["provenance"]])
    origin: JsonObject = loads(opened)
    return origin


def _without_learner(document: Document, learner: str, tokens: AbstractSet[bytes]) -> Document:
    """The tokens may be the statement's own, or of what it targets."""
    return {
        "learners": [None if one == learner else one for one in document["learners"]],
        "keys": [key for key in document["keys"] if key not in tokens],
    } | ({"blobs": _without_data(document, learner)} if "blobs" in document else {})


def _without_data(document: Document, learner: str) -> list[str]:
    """The keys of the attachments' data that is still there: what was kept under the forgotten is gone."""
    return [key for key in document["blobs"] if key.split("/")[-2] != learner]
