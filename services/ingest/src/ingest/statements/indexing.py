"""What a statement is found by: index fields beside its sealed bytes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from service_kit.mongo import Document
from service_kit.outbox import flag
from xapi import VOIDED, filter_activities, filter_agents, learners_of
from xapi.parsing import JsonObject

from ingest.identities.repository import Identity

Identities = Mapping[str, Identity]


@dataclass(frozen=True, slots=True)
class Named:
    """The canonical identifiers in a statement."""

    all: frozenset[str]
    learners: tuple[str, ...]

    @classmethod
    def in_statement(cls, raw: JsonObject) -> "Named":
        """Of a statement as it was sent; an authority in it is not kept, and so not known."""
        sent = {name: value for name, value in raw.items() if name != "authority"}
        return cls(frozenset(filter_agents(sent, related=True)), tuple(learners_of(raw)))


def document(tenant: str, statement: JsonObject, stored: int, identities: Identities) -> Document:
    """The document of a completed statement, but for its bytes.

    `learners` stands in the order of `xapi.learners_of`, so that the relay knows which identifier is whose; a valid
    statement has at least one.
    """
    related = filter_agents(statement, related=True)
    narrow = filter_agents(statement, related=False)
    learners = [identities[ifi].learner for ifi in learners_of(statement)]
    fields: Document = {
        "_id": key_of(tenant, statement["id"]),
        "tenant": tenant,
        "stored": stored,
        "verb": statement["verb"]["id"],
        "agents": agents(identities, narrow),
        "related_agents": agents(identities, related),
        "related_activities": sorted(filter_activities(statement, related=True)),
        "learners": learners,
        "outbox": flag(learners[0]),
    }
    if (activity := next(iter(filter_activities(statement, related=False)), None)) is not None:
        fields["activity"] = activity
    if (registration := statement.get("context", {}).get("registration")) is not None:
        fields["registration"] = registration.lower()
    if statement["verb"]["id"] == VOIDED:
        fields["voids"] = key_of(tenant, statement["object"]["id"])
    return fields


def key_of(tenant: str, statement_id: str) -> str:
    return f"{tenant}/{statement_id.lower()}"


def agents(identities: Identities, ifis: Collection[str]) -> list[str]:
    return sorted({identities[ifi].agent for ifi in ifis})
