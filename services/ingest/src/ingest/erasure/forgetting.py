"""Forget a learner: the own statements go, and so do the identities. Whoever comes back is someone new.

A statement about others too, or one that only mentions the learner, stays and names a pseudonymous account instead.
"""

from collections.abc import Mapping
from uuid import uuid4

import orjson
from events.sealing import Owner
from service_kit.mongo import Document, Session
from xapi import agents_of

from ingest.documents.repository import DocumentRepository
from ingest.erasure.rewriting import without
from ingest.identities.repository import Belongings, IdentityRepository
from ingest.statements.repository import StatementRepository


async def forget(
    tenant: str,
    learner: str,
    session: Session,
    *,
    statements: StatementRepository,
    identities: IdentityRepository,
    documents: DocumentRepository,
) -> Mapping[str, int]:
    """Documents removed and rewritten. Repeatable: the second time finds nothing."""
    belongings = await identities.belongings(tenant, learner, session)
    if belongings is None:
        return {"statements": 0, "statements_rewritten": 0, "documents": 0, "identities": 0}
    naming = await statements.naming(tenant, belongings.agents, session)
    own = [d["_id"] for d in naming if set(d["learners"]) <= {learner, None} and learner in d["learners"]]
    mine = set(own)
    others = [document for document in naming if document["_id"] not in mine]
    await statements.remove(own, session)
    changes = await _rewritten(tenant, learner, belongings, others, statements, identities)
    await statements.rewrite(changes, session)
    kept = await documents.forget(tenant, belongings.agents, session)
    removed = await identities.remove(tenant, learner, belongings, session)
    return {"statements": len(own), "statements_rewritten": len(others), "documents": kept, "identities": removed}


async def _rewritten(
    tenant: str,
    learner: str,
    belongings: Belongings,
    documents: list[Document],
    statements: StatementRepository,
    identities: IdentityRepository,
) -> dict[str, Document]:
    """The fields to set, by `_id`."""
    bodies = []
    for document, data in zip(documents, await statements.opened(documents), strict=True):
        raw = orjson.loads(data)
        digests = await identities.digests(tenant, {use.ifi for use in agents_of(raw) if use.ifi is not None})
        forgotten = {ifi for ifi, digest in digests.items() if digest in belongings.digests}
        rest = [one for one in document["learners"] if one not in (learner, None)]
        rewritten = without(raw, forgotten.__contains__, str(uuid4()))
        bodies.append((Owner(tenant, rest[0]), orjson.dumps(rewritten)))
    sealed = await statements.sealed(bodies)
    return {
        d["_id"]: _without_learner(d, learner, belongings.agents) | {"bytes": one.data, "key": one.key}
        for d, one in zip(documents, sealed, strict=True)
    }


def _without_learner(document: Document, learner: str, agents: list[str]) -> Document:
    return {
        "learners": [None if one == learner else one for one in document["learners"]],
        "agents": [one for one in document["agents"] if one not in agents],
        "related_agents": [one for one in document["related_agents"] if one not in agents],
    }
