"""Where ingest keeps what describes a learner, for sealing what lies in the clear from before there were keys.

A state or profile document is sealed when it is next written; launches and the quarantine run out by themselves.
"""

from collections.abc import Sequence
from typing import Final

import orjson
from events.sealing import Owner
from service_kit.keys.migrating import Place, by_id
from service_kit.mongo import Document

from ingest.identities.repository import IDENTITIES, LEARNERS
from ingest.statements.repository import STATEMENTS


def _of_identity(document: Document) -> Owner | None:
    """Its own bytes say whose it is, while they are in the clear."""
    if document["key"] is not None:
        return None
    return Owner(document["tenant"], orjson.loads(document["bytes"])["learner"])


def _of_statement(document: Document) -> Owner | None:
    """The first whom it is about; a place that is only awaited holds nothing."""
    known = [learner for learner in document.get("learners", ()) if learner is not None]
    return Owner(document["tenant"], known[0]) if known else None


PLACES: Final[Sequence[Place]] = (
    Place(IDENTITIES.name, "names.bytes", "names.key", _of_identity),
    Place(IDENTITIES.name, "bytes", "key", _of_identity),
    Place(LEARNERS.name, "bytes", "key", by_id),
    Place(STATEMENTS.name, "provenance.bytes", "provenance.key", _of_statement),
    Place(STATEMENTS.name, "bytes", "key", _of_statement),
)
