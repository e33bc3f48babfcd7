"""What the endpoints find on the app: typed, made once in the lifespan."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from service_kit.clock import Clock
from service_kit.consent import ConsentView
from service_kit.merging import Merges

from recommendation.catalog.held import HeldCatalogs
from recommendation.catalog.repository import CatalogRepository
from recommendation.frameworks.repository import FrameworkRepository
from recommendation.learners.repository import LearnerRepository
from recommendation.settings import CatalogSettings


@dataclass(frozen=True)
class State:
    settings: CatalogSettings
    catalog: CatalogRepository
    frameworks: FrameworkRepository
    held: HeldCatalogs
    learners: LearnerRepository
    consents: ConsentView
    clock: Clock
    merges: Merges


def _state(request: Request) -> State:
    state: State = request.app.state.recommendation
    return state


StateDep = Annotated[State, Depends(_state)]
