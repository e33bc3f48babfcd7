"""What the endpoints are given: built once in `app`, read from `request.app.state.learner_profile`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from service_kit.clock import Clock
from service_kit.consent import ConsentView
from service_kit.merging import Merges
from service_kit.peers import Peers

from learner_profile.activities.repository import ActivityRepository
from learner_profile.estimates.overruling import Overruler
from learner_profile.evidence.repository import EvidenceRepository
from learner_profile.judgements.judging import Judging
from learner_profile.learners.placing import Placing
from learner_profile.learners.repository import LearnerRepository
from learner_profile.parameters.shelf import Shelf
from learner_profile.records.importing import Importing
from learner_profile.records.repository import ClaimRepository
from learner_profile.retention.bases import BaseRepository
from learner_profile.roles.repository import RoleRepository


@dataclass(frozen=True)
class State:
    learners: LearnerRepository
    evidence: EvidenceRepository
    activities: ActivityRepository
    consents: ConsentView
    roles: RoleRepository
    clock: Clock
    judging: Judging
    placing: Placing
    overruler: Overruler
    merges: Merges
    claims: ClaimRepository
    importing: Importing
    peers: Peers
    bases: BaseRepository
    shelf: Shelf


def state_of(request: Request) -> State:
    state: State = request.app.state.learner_profile
    return state


StateDep = Annotated[State, Depends(state_of)]
