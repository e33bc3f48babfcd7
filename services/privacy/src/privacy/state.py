"""What the endpoints work with, made once in the lifespan."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from service_kit.clock import Clock
from service_kit.mongo import Client
from service_kit.runtime import Connections

from privacy.consents.repository import Consents
from privacy.policies.repository import Policies
from privacy.requests.repository import Requests
from privacy.settings import ErasureSettings


@dataclass(frozen=True, slots=True)
class State:
    client: Client
    policies: Policies
    consents: Consents
    requests: Requests
    clock: Clock
    resend: timedelta

    @classmethod
    def of(cls, c: Connections, erasure: ErasureSettings | None = None) -> "State":
        resend = timedelta(seconds=(erasure or ErasureSettings()).erasure_resend_seconds)
        return cls(c.client, Policies(c.db), Consents(c.db), Requests(c.db), c.clock, resend)


def _state(request: Request) -> State:
    state: State = request.app.state.privacy
    return state


Here = Annotated[State, Depends(_state)]
