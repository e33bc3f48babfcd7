"""Who may see a learner's model: the learner, guardians, apps, the data protection officer, teachers of the class."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from service_kit.auth import Principal, Role
from service_kit.problems import Forbidden, NotFound, NotReadyYet

from learner_profile.learners.profiles import Profile, Status
from learner_profile.learners.standing import PURPOSE
from learner_profile.state import State

TEACH: Final = "teach"
NO_LEARNER: Final = "Neither a roster nor the policy calls this person a learner: there is no profile"
READERS: Final = (Role.app, Role.dpo)


class Opened(NamedTuple):
    """A profile, and the learners whose rows make it: its own, and who was merged into it."""

    profile: Profile
    everyone: tuple[str, ...]


def own(principal: Principal) -> str:
    """The learner whom the token names."""
    if principal.learner_id is None:
        raise Forbidden("This token names no learner")
    return principal.learner_id


async def open_profile(
    principal: Principal,
    learner: str,
    state: State,
    *,
    by_itself: bool = True,
    others: Sequence[Role] = READERS,
) -> Opened:
    """The open profile of a learner whom the caller may see. Raises Forbidden, NotFound, PolicyUnknown.

    `by_itself`: whether the learner, or a guardian, may; `others`: who may beside the learner's teachers. What asks for
    a learner who is merged into another is answered for that one.
    """
    group = await state.merges.group(principal.tenant, learner)
    learner = group.root
    itself = by_itself and any(principal.may_see(one) for one in group.everyone)
    taught = not itself and not principal.has(*others) and await teaches(principal, learner, state)
    if not itself and not taught and not principal.has(*others):
        raise Forbidden(
            "A learner sees the own profile alone, a guardian the child's, a teacher those of the own classes"
        )
    standing = await state.consents.standing(principal.tenant, learner)
    if standing.erased:
        raise NotFound("Nothing is known of this learner")
    if not standing.allows(PURPOSE):
        raise Forbidden("The purpose `profile` is stopped for this learner")
    if taught and not standing.allows(TEACH):
        raise Forbidden("The purpose `teach` is stopped for this learner")
    if await state.roles.others(principal.tenant, [learner], standing.policy):
        raise NotFound(NO_LEARNER)
    profile = (await state.learners.load(principal.tenant, [learner])).get(learner)
    if profile is None or profile.status == Status.ERASED or profile.says_nothing:
        raise NotFound("Nothing is known of this learner")
    if profile.status == Status.CLOSED:  # since the purpose is allowed, by the policy's list of staff
        raise NotFound(NO_LEARNER)
    return Opened(profile, group.everyone)


async def built_profile(
    principal: Principal, learner: str, state: State, *, by_itself: bool = True, others: Sequence[Role] = READERS
) -> Profile:
    """The same, with its state. Raises `NotReadyYet` too."""
    profile, _ = await open_profile(principal, learner, state, by_itself=by_itself, others=others)
    if profile.state is None:
        raise NotReadyYet("The profile is being built from its evidence", retry_after_seconds=1)
    return profile


async def pupils_among(principal: Principal, learners: Collection[str], state: State) -> set[str]:
    """Those of the learners whom the caller teaches, where the purposes `profile` and `teach` are allowed."""
    if not learners or not principal.has(Role.teacher) or principal.learner_id is None:
        return set()
    known = await state.roles.known(principal.tenant, [principal.learner_id, *learners])
    teacher = known.get(principal.learner_id)
    taught = {one for one in learners if teacher and one in known and teacher.teaches(known[one])}
    standings = await state.consents.standings(principal.tenant, taught)
    return {one for one in taught if standings[one].allows(PURPOSE) and standings[one].allows(TEACH)}


async def teaches(principal: Principal, learner: str, state: State) -> bool:
    """Whether the roster gives the caller one of the learner's classes."""
    if not principal.has(Role.teacher) or principal.learner_id is None:
        return False
    known = await state.roles.known(principal.tenant, [principal.learner_id, learner])
    teacher, taught = known.get(principal.learner_id), known.get(learner)
    return teacher is not None and taught is not None and teacher.teaches(taught)
