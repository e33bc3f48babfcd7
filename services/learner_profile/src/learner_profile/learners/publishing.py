"""Profiles out: what a flagged document says to Kafka."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from events import topics
from events.envelope import Outgoing
from events.payloads import LearnerProfile, ProfileStatus, TeacherEstimate
from learner_model import last_key
from learner_model.state import EPOCH
from service_kit.mongo import CollectionSpec, Document

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
        profiles = await self._learners.profiles(documents)
        return [_outgoing(document, profile) for document, profile in zip(documents, profiles, strict=True)]


def message_of(profile: Profile) -> LearnerProfile | None:
    """What the profile says to the other services; None: the learner is erased."""
    if profile.status == Status.ERASED:
        return None
    state = profile.state
    if profile.status == Status.CLOSED or state is None:
        return LearnerProfile(version=max(1, profile.version), status=ProfileStatus.closed)
    last = last_key(state)
    return LearnerProfile(
        version=profile.version,
        status=ProfileStatus.open,
        reflects=profile.reflects[1] if profile.reflects else None,
        statements=state.activity.statements,
        last_statement_at=last[0] if last else None,
        last_stored_at=EPOCH + timedelta(microseconds=profile.reflects[0]) if profile.reflects else None,
        titles=dict(sorted(profile.titles.items())),
        estimates={
            name: TeacherEstimate(probability=one.probability, at=one.at, evidence_count=one.evidence_count)
            for name, one in profile.said.items()
        },
        state=state,
    )


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
