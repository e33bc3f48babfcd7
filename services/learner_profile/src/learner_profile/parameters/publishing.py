"""Versions out: what a flagged part says to Kafka."""

from collections.abc import Sequence
from datetime import UTC

from events import topics
from events.envelope import Outgoing
from events.payloads import ModelParameters
from service_kit.mongo import CollectionSpec, Document

from learner_profile.parameters.repository import PARAMETERS


class ParametersSource:
    """`service_kit.outbox.Source` of versions, a part a message. One that is retired is a tombstone."""

    spec: CollectionSpec = PARAMETERS
    remove_when_sent = False

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        return [
            Outgoing(
                topics.PARAMETERS,
                document["outbox"]["token"],
                document["tenant"],
                document["key"],
                document["since"].replace(tzinfo=UTC),
                None if document.get("retired") else _payload(document),
            )
            for document in documents
        ]


def _payload(document: Document) -> ModelParameters:
    return ModelParameters(
        version=document["version"],
        since=document["since"].replace(tzinfo=UTC),
        answers=document["answers"],
        part=document["part"],
        parts=document["parts"],
        weights=bytes(document["data"]),
    )
