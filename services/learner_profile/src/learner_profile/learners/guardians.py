"""Guardians among the callers: for whom they act now, by privacy's word."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request
from service_kit.auth import Principal, Role, bearer, require
from service_kit.peers import PeerAway
from service_kit.problems import NotReadyYet

from learner_profile.state import StateDep


def acting(*roles: Role) -> Callable[..., Coroutine[Any, Any, Principal]]:
    """A dependency: the caller, in one of the roles or a guardian, with the children for whom a guardian acts.

    Privacy is asked with the caller's own token, and 503 is the answer where it cannot be.
    """

    async def dependency(
        principal: Annotated[Principal, Depends(require(*roles, Role.guardian))], request: Request, state: StateDep
    ) -> Principal:
        if not principal.has(Role.guardian):
            return principal
        try:
            return replace(principal, children=frozenset(await state.peers.children(bearer(request))))
        except PeerAway as away:
            raise NotReadyYet(f"{away.service} does not answer") from None

    return dependency
