"""Profiles out: what a flagged document says to Kafka."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from events import topics
from events.envelope import Outgoing
from events.payloads import ProfileStatus
from learner_model.reading import told
from learner_model.state import EPOCH
from service_kit.mongo import CollectionSpec, Document

from learner_profile.estimates.said import without
from learner_profile.learners.profiles import Profile, Status
from learner_profile.learners.repository import LEARNERS, LearnerRepository

RELAY_POLL_SECONDS: Final = 0.25  # batches and rebuilding wake the relay; only decisions wait for its next look


class ProfileSource:
    """`service_kit.outbox.Source` of profiles. An erased learner's is a tombstone."""

    spec: CollectionSpec = LEARNERS
    remove_when_sent = False

    def __init__(self, learners: LearnerRepository) -> None:
        self._learners = learners

    async def messages(self, documents: Sequence[Document]) -> list[Outgoing]:
        profiles = await self._learners.flagged(documents)
        return [_outgoing(document, profile) for document, profile in zip(documents, profiles, strict=True)]


def message_of(profile: Profile) -> dict[str, Any] | None:
    """What the profile says to the other services, a `LearnerProfile` as JSON has it; None: the learner is erased."""
    if profile.status == Status.ERASED:
        return None
    if profile.status == Status.CLOSED or profile.folded is None:
        return {"version": max(1, profile.version), "status": ProfileStatus.closed}
    folded = profile.folded
    said: dict[str, Any] = {"version": profile.version, "status": ProfileStatus.open, "statements": folded.statements}
    if profile.reflects:
        stored_us, said["reflects"] = profile.reflects
        said["last_stored_at"] = EPOCH + timedelta(microseconds=stored_us)
    if folded.last is not None:
        said["last_statement_at"] = EPOCH + timedelta(microseconds=folded.last.at_us)
    if profile.titles:
        said["titles"] = dict(sorted(profile.titles.items()))
    if profile.said:
        said["estimates"] = {
            name: {"probability": one.probability, "at": one.at, "evidence_count": one.evidence_count}
            for name, one in profile.said.items()
        }
    return said | {"state": without(told(folded), profile.aside)}


def _outgoing(document: Document, profile: Profile) -> Outgoing:
    return Outgoing(
        topics.PROFILES,
        document["outbox"]["token"],
        profile.tenant,
        profile.learner,
        document["updated_at"],
        message_of(profile),
        profile.traceparent,
    )
