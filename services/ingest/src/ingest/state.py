"""What the endpoints are given: built once in `app`, read from `request.app.state.ingest`."""

from dataclasses import dataclass

from fastapi import Request
from service_kit.clock import Clock
from service_kit.consent import ConsentView
from service_kit.keys.held import HeldKeys

from ingest.activities.knowing import KnownActivities
from ingest.agents.knowing import KnownAgents
from ingest.attachments.answering import Answerer
from ingest.attachments.receiving import Receiver
from ingest.attachments.repository import AttachmentRepository
from ingest.credentials.repository import CredentialRepository
from ingest.credentials.verification import Verifier
from ingest.disclosures.repository import DisclosureRepository
from ingest.documents.keeping import Keeper
from ingest.emitters.parts import Emitters
from ingest.forwarding.repository import ForwardingRepository
from ingest.identities.repository import IdentityRepository
from ingest.identities.resolving import Resolver
from ingest.imports.repository import ImportRepository
from ingest.launches.launching import Launcher
from ingest.launches.repository import LaunchRepository
from ingest.merges.merging import Merging
from ingest.settings import XapiSettings
from ingest.statements.recording import Recorder
from ingest.statements.repository import StatementRepository
from ingest.statements.restricted import Restricted
from ingest.statements.stamps import Stamps
from ingest.subjects.reading import HeldByIngest


@dataclass(frozen=True)
class State:
    statements: StatementRepository
    recorder: Recorder
    attachments: AttachmentRepository
    receiver: Receiver
    answerer: Answerer
    stamps: Stamps
    identities: Resolver
    documents: Keeper
    activities: KnownActivities
    agents: KnownAgents
    consents: ConsentView
    credentials: CredentialRepository
    verifier: Verifier
    launches: LaunchRepository
    launcher: Launcher
    public_url: str
    clock: Clock
    xapi: XapiSettings
    imports: ImportRepository
    forwardings: ForwardingRepository
    emitters: Emitters
    subjects: HeldByIngest
    disclosures: DisclosureRepository
    known_identities: IdentityRepository
    restricted: Restricted
    held_keys: HeldKeys | None  # None: everything lies in the clear
    merging: Merging


def state_of(request: Request) -> State:
    state: State = request.app.state.ingest
    return state
