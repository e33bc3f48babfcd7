"""What the endpoints work with, made once in the lifespan."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from events.sealing import Sealer
from fastapi import Depends, Request
from service_kit.audit import Audit
from service_kit.clock import Clock
from service_kit.merging import Merges
from service_kit.mongo import Client
from service_kit.runtime import Connections

from privacy.access.repository import Archives
from privacy.audit.repository import Chain
from privacy.certificates.repository import Certificates
from privacy.closing.repository import Closings
from privacy.consents.forgotten import Forgotten
from privacy.consents.repository import Consents
from privacy.guardians.repository import Guardians
from privacy.policies.repository import Policies
from privacy.requests.repository import Requests
from privacy.requests.settings import RequestSettings
from privacy.retention.repository import CourseEndings, Holds, Rules, Runs
from privacy.settings import SigningSettings
from privacy.signing import Signing


@dataclass(frozen=True, slots=True)
class State:
    client: Client
    policies: Policies
    consents: Consents
    requests: Requests
    clock: Clock
    resend: timedelta
    sealer: Sealer
    audit: Audit
    chain: Chain
    signing: Signing
    guardians: Guardians
    certificates: Certificates
    archives: Archives
    closings: Closings
    forgotten: Forgotten
    merges: Merges
    rules: Rules
    runs: Runs
    holds: Holds
    course_ends: CourseEndings

    @classmethod
    def of(cls, c: Connections, requests: RequestSettings | None = None) -> "State":
        resend = timedelta(seconds=(requests or RequestSettings()).erasure_resend_seconds)
        return cls(
            c.client,
            Policies(c.db),
            Consents(c.db, c.sealer),
            Requests(c.db, c.sealer),
            c.clock,
            resend,
            sealer=c.sealer,
            audit=c.audit,
            chain=Chain(c.db),
            signing=Signing(SigningSettings().signing_key, c.db),
            guardians=Guardians(c.db, c.sealer),
            certificates=Certificates(c.db, c.sealer),
            archives=Archives(c.db, c.sealer),
            closings=Closings(c.db),
            forgotten=Forgotten(c.db),
            merges=Merges(c.db),
            rules=Rules(c.db),
            runs=Runs(c.db),
            holds=Holds(c.db, c.sealer),
            course_ends=CourseEndings(c.db),
        )


def _state(request: Request) -> State:
    state: State = request.app.state.privacy
    return state


Here = Annotated[State, Depends(_state)]
