"""What a statement is found by: short tokens beside its sealed bytes, all in one index.

A token is a letter for what it says and 88 bits of a hash of the value: an index entry is so 12 bytes long whatever the
IRI, and a statement's entries lie in one tree. Two values with one token would need a few trillion values.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from service_kit.mongo import Document
from service_kit.outbox import flag
from xapi import VOIDED, Named

from ingest.identities.repository import Identity

Identities = Mapping[str, Identity]

AGENT: Final = b"a"
RELATED_AGENT: Final = b"A"
"""Of an agent that `agent` alone does not find: what is found narrowly is found broadly too and needs no more."""
ACTIVITY: Final = b"o"
RELATED_ACTIVITY: Final = b"O"
VERB: Final = b"v"
REGISTRATION: Final = b"r"
VOUCHED: Final = b"p"
"""Of an agent that vouched for an imported statement where it came from: an erasure looks for it, no query does."""

UNLINKED: Final = b"u"
"""Of statements that lead to nobody any more: by it the retention rules find them."""


@lru_cache(maxsize=32_768)
def token(kind: bytes, value: str) -> bytes:
    return kind + hashlib.blake2b(value.encode(), digest_size=11).digest()


def agent_tokens(agent: str) -> list[bytes]:
    """All tokens that find statements of or with the agent."""
    return [token(AGENT, agent), token(RELATED_AGENT, agent)]


def tokens_to_forget(agent: str) -> list[bytes]:
    """All tokens by which something of the agent's is found."""
    return [*agent_tokens(agent), token(VOUCHED, agent)]


def unlinked() -> bytes:
    return token(UNLINKED, "")


def document(
    tenant: str, statement_id: str, named: Named, authority: str, stored: int, identities: Identities
) -> Document:
    """The document of a statement with this id and authority (a canonical identifier), but for its bytes.

    `learners` stands in the order of `xapi.learners_of`, so that the relay knows which identifier is whose; a valid
    statement has at least one.
    """
    learners = [identities[ifi].learner for ifi in named.learners]
    fields: Document = {
        "_id": key_of(tenant, statement_id),
        "tenant": tenant,
        "stored": stored,
        "keys": _keys(named, authority, identities),
        "learners": learners,
        "outbox": flag(learners[0]),
    }
    if named.target is not None:
        fields["targets"] = key_of(tenant, named.target)
        if named.verb == VOIDED:
            fields["voids"] = fields["targets"]
    return fields


def key_of(tenant: str, statement_id: str) -> str:
    return f"{tenant}/{statement_id.lower()}"


def _keys(named: Named, authority: str, identities: Identities) -> list[bytes]:
    """No token twice, though several identifiers may be one agent's."""
    narrow = {identities[ifi].agent for ifi in named.agents}
    broad = {identities[ifi].agent for ifi in named.related_agents - named.agents}
    broad.add(identities[authority].agent)
    keys = [token(VERB, named.verb)]
    keys += [token(AGENT, agent) for agent in narrow]
    keys += [token(RELATED_AGENT, agent) for agent in broad - narrow]
    activity = named.activity
    if activity is not None:
        keys.append(token(ACTIVITY, activity))
    keys += [token(RELATED_ACTIVITY, one) for one in named.related_activities if one != activity]
    if named.registration is not None:
        keys.append(token(REGISTRATION, named.registration.lower()))
    return keys
