"""What the endpoints are given: built once in `app`, read from `request.app.state.ingest`."""

from dataclasses import dataclass

from fastapi import Request
from service_kit.clock import Clock
from service_kit.consent import ConsentView

from ingest.activities.knowing import KnownActivities
from ingest.agents.knowing import KnownAgents
from ingest.credentials.repository import CredentialRepository
from ingest.credentials.verification import Verifier
from ingest.documents.keeping import Keeper
from ingest.http.settings import XapiSettings
from ingest.identities.resolving import Resolver
from ingest.statements.recording import Recorder
from ingest.statements.repository import StatementRepository
from ingest.statements.stamps import Stamps


@dataclass(frozen=True)
class State:
    statements: StatementRepository
    recorder: Recorder
    stamps: Stamps
    identities: Resolver
    documents: Keeper
    activities: KnownActivities
    agents: KnownAgents
    consents: ConsentView
    credentials: CredentialRepository
    verifier: Verifier
    clock: Clock
    xapi: XapiSettings


def state_of(request: Request) -> State:
    state: State = request.app.state.ingest
    return state
