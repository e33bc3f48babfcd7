"""Each service's own view of policies and consents.

The view is filled from compacted topics by the service's worker and read from the service's own database each time.
Nothing of it is kept between two reads: what a request reads is what was committed before the request began. Where a
tenant's policy is not known yet, reading raises `PolicyUnknown`, where privacy was not heard of for too long
`ViewTooOld`: HTTP answers 503, a worker waits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from events.errors import NotReady
from events.payloads import ConsentState, ConsentStatus, Policy, Unknown

from service_kit.freshness import Freshness
from service_kit.merging import STANDINGS, Group
from service_kit.mongo import Collection, Database, Document, Session

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""Whoever was erased and is not to come back: always erased."""
NOTHING_KNOWN: Final = ConsentState(version=1)
STRICTEST_FIRST: Final = (ConsentStatus.withdrawn, ConsentStatus.objected, ConsentStatus.granted)


class PolicyUnknown(NotReady):
    """The view holds no policy for this tenant yet: wait, do not guess."""


@dataclass(frozen=True)
class Standing:
    """One learner's standing under the tenant's policy.

    Of one who is the same person as others, `others` are theirs: of all the strictest holds. `group` names them all.
    """

    policy: Policy
    state: ConsentState = NOTHING_KNOWN
    others: tuple[ConsentState, ...] = ()
    group: Group | None = None

    @property
    def erased(self) -> bool:
        return any(state.erased for state in self._states)

    @property
    def restricted(self) -> bool:
        """Data stays and is stored; nothing else is done with it (GDPR 18(2))."""
        return any(state.restricted for state in self._states)

    @property
    def held(self) -> bool:
        """A legal hold or an open inspection stands against every retention rule."""
        return self.state.held

    def allows(self, purpose: str) -> bool:
        """Whether data of this learner may be used for the purpose; a purpose the policy lacks is denied."""
        if self.erased or (self.restricted and purpose != "record"):
            return False
        return all(self._allows(state, purpose) for state in self._states)

    def asks_again(self, purpose: str) -> bool:
        """Whether consent was given under an older version of a notice whose new one asks again."""
        return any(self._asks_again(state, purpose) for state in self._states)

    def status(self, purpose: str) -> ConsentStatus | None:
        """The learner's own decision, if there is one; of several the strictest."""
        found = {decision.status for state in self._states if (decision := state.purposes.get(purpose))}
        return next((status for status in STRICTEST_FIRST if status in found), None)

    def unrestricted(self) -> "Standing":
        """What would hold without a restriction."""
        states = [state.model_copy(update={"restricted": False}) for state in self._states]
        return replace(self, state=states[0], others=tuple(states[1:]))

    @property
    def _states(self) -> tuple[ConsentState, ...]:
        return (self.state, *self.others)

    def _allows(self, state: ConsentState, purpose: str) -> bool:
        decision = state.purposes.get(purpose)
        if decision is not None:
            return decision.status is ConsentStatus.granted and not self._asks_again(state, purpose)
        known = self.policy.purposes.get(purpose)
        return known is not None and known.unknown is Unknown.allowed

    def _asks_again(self, state: ConsentState, purpose: str) -> bool:
        rule, decision = self.policy.purposes.get(purpose), state.purposes.get(purpose)
        if rule is None or decision is None or not rule.notice.ask_again:
            return False
        return decision.status is ConsentStatus.granted and decision.notice != rule.notice.version


@dataclass(frozen=True)
class Change:
    """A learner's standing before and after."""

    tenant: str
    learner: str
    before: Standing
    after: Standing

    def stopped(self, purpose: str) -> bool:
        return self.before.allows(purpose) and not self.after.allows(purpose)

    def resumed(self, purpose: str) -> bool:
        return self.after.allows(purpose) and not self.before.allows(purpose)


@dataclass(frozen=True)
class Standings:
    """The standing of every learner of a tenant."""

    policy: Policy
    states: Mapping[str, ConsentState]
    groups: Mapping[str, Group] = field(default_factory=dict)

    def of(self, learner: str) -> Standing:
        return _together(self.policy, learner, self.groups.get(learner) or Group.alone(learner), self.states)

    def root(self, learner: str) -> str:
        """The learner under whom the person's profile is kept."""
        return self.everyone(learner)[0]

    def everyone(self, learner: str) -> tuple[str, ...]:
        """All who are one person with the learner, the root first."""
        return (self.groups.get(learner) or Group.alone(learner)).everyone


class ConsentView:
    """Reads and writes the view in the service's own database.

    `may_be_old`: for recording alone, which goes on by the policy last known.
    """

    def __init__(self, db: Database, *, may_be_old: bool = False, freshness: Freshness | None = None) -> None:
        self._standings: Collection = db[STANDINGS.name]
        self._freshness = None if may_be_old else freshness or Freshness(db)
        # policies as read last: they change rarely and cost to check
        self._read: dict[str, tuple[Document, Policy]] = {}

    async def policy(self, tenant: str, session: Session | None = None) -> Policy:
        """Raises `PolicyUnknown`, `ViewTooOld`."""
        await self._fresh()
        found = await self._standings.find_one({"_id": tenant}, session=session)
        if found is None:
            raise _unknown()
        return self._policy(tenant, found["policy"])

    async def standings(
        self, tenant: str, learners: Iterable[str], session: Session | None = None
    ) -> dict[str, Standing]:
        """The standing of each learner. Raises `PolicyUnknown`, `ViewTooOld`."""
        await self._fresh()
        asked = set(learners)
        documents = await self._read_all([tenant, *(f"{tenant}/{one}" for one in asked)], session)
        if tenant not in documents:
            raise _unknown()
        policy = self._policy(tenant, documents.pop(tenant)["policy"])
        groups = {one: Group.in_document(one, documents.get(f"{tenant}/{one}")) for one in asked}
        merged = [group.everyone for group in groups.values() if len(group.everyone) > 1]
        if missing := {f"{tenant}/{one}" for everyone in merged for one in everyone} - documents.keys():
            documents |= await self._read_all(sorted(missing), session)
        known = {key.partition("/")[2]: _state(document) for key, document in documents.items()}
        known[NOBODY] = ConsentState(version=1, erased=True)
        return {one: _together(policy, one, groups[one], known) for one in asked}

    async def standing(self, tenant: str, learner: str, session: Session | None = None) -> Standing:
        """One learner's standing. Raises `PolicyUnknown`."""
        return (await self.standings(tenant, [learner], session))[learner]

    async def everyone(self, tenant: str, session: Session | None = None) -> Standings:
        """The whole tenant at once, for what looks at many learners. Raises `PolicyUnknown`."""
        policy = await self.policy(tenant, session)
        prefix, behind = f"{tenant}/", f"{tenant}0"  # "0" follows "/"
        found = self._standings.find({"_id": {"$gte": prefix, "$lt": behind}}, session=session)
        states: dict[str, ConsentState] = {}
        groups: dict[str, Group] = {}
        async for document in found:
            learner = document["_id"].removeprefix(prefix)
            states[learner] = _state(document)
            if "merged" in document:
                groups[learner] = Group.in_document(learner, document)
        return Standings(policy, states, groups)

    async def restricted(self, tenant: str) -> frozenset[str]:
        """The learners whose data is kept and not used (GDPR 18)."""
        prefix, behind = f"{tenant}/", f"{tenant}0"
        where = {"state.restricted": True, "_id": {"$gte": prefix, "$lt": behind}}
        found = await self._standings.find(where, {"merged": 1}).to_list(None)
        own = {d["_id"].removeprefix(prefix): d for d in found}
        return frozenset(one for learner, d in own.items() for one in Group.in_document(learner, d).everyone)

    async def put_policy(self, tenant: str, policy: Policy, session: Session) -> bool:
        """Store unless a newer one is there; whether it was stored."""
        held = await self._standings.find_one({"_id": tenant}, session=session)
        if held is not None and held["policy"]["version"] >= policy.version:
            return False
        document = {"policy": policy.enforced().model_dump(mode="json", exclude_defaults=True)}
        await self._standings.replace_one({"_id": tenant}, document, upsert=True, session=session)
        return True

    async def put_state(self, tenant: str, learner: str, state: ConsentState, session: Session) -> bool:
        """Store unless one of this or a newer version is there, or the learner is erased; whether it was stored."""
        key = f"{tenant}/{learner}"
        held = await self._standings.find_one({"_id": key, "state": {"$exists": True}}, session=session)
        if held is not None and (held["state"]["erased"] or held["state"]["version"] >= state.version):
            return False
        change = {"$set": {"state": state.model_dump(mode="json")}}
        await self._standings.update_one({"_id": key}, change, upsert=True, session=session)
        return True

    async def put_erased(self, tenant: str, learner: str, session: Session) -> None:
        """From now on whatever still arrives about this learner is dropped."""
        erased = ConsentState(version=1, erased=True).model_dump(mode="json")
        change = {"$set": {"state": erased}}
        await self._standings.update_one({"_id": f"{tenant}/{learner}"}, change, upsert=True, session=session)

    async def remove_erased(self, tenant: str, learner: str, session: Session) -> None:
        """Let go of the mark itself: it holds the learner's id."""
        await self._standings.delete_one({"_id": f"{tenant}/{learner}", "state.erased": True}, session=session)

    def _policy(self, tenant: str, stored: Document) -> Policy:
        held = self._read.get(tenant)
        if held is None or held[0] != stored:
            held = self._read[tenant] = (stored, Policy.model_validate(stored))
        return held[1]

    async def _fresh(self) -> None:
        if self._freshness is not None:
            await self._freshness.check()

    async def _read_all(self, ids: Sequence[str], session: Session | None) -> dict[str, Document]:
        found = await self._standings.find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
        return {document["_id"]: document for document in found}


def _state(document: Document) -> ConsentState:
    return ConsentState.model_validate(document["state"]) if "state" in document else NOTHING_KNOWN


def _together(policy: Policy, learner: str, group: Group, known: Mapping[str, ConsentState]) -> Standing:
    own = known.get(learner, NOTHING_KNOWN)
    if len(group.everyone) == 1:
        return Standing(policy, own, (), group)
    others = tuple(known.get(one, NOTHING_KNOWN) for one in group.everyone if one != learner)
    return Standing(policy, own, others, group)


def _unknown() -> PolicyUnknown:
    return PolicyUnknown("the tenant's policy has not arrived yet")
