"""What the endpoints are given: built once in `app`, read from `request.app.state.insights`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from service_kit.settings import ServiceSettings

from insights.reports.reporting import Reporter
from insights.rosters.importing import Importer
from insights.rosters.repository import RosterRepository
from insights.states.repository import StateRepository


@dataclass(frozen=True)
class State:
    settings: ServiceSettings
    rosters: RosterRepository
    states: StateRepository
    importer: Importer
    reporter: Reporter


def state_of(request: Request) -> State:
    state: State = request.app.state.insights
    return state


StateDep = Annotated[State, Depends(state_of)]
