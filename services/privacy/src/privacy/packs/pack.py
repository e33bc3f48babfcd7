"""What a pack is: tables of rules, each with its clause, and the questions they answer. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from events.payloads import Basis

from privacy.packs.dates import birthday, months_after

Giver = Literal["learner", "guardian", "guardian_or_school"]
ANY_BASIS = frozenset(Basis)


class Right(StrEnum):
    """What a data subject may ask for."""

    access = "access"
    portability = "portability"
    rectification = "rectification"
    erasure = "erasure"
    restriction = "restriction"
    objection = "objection"


@dataclass(frozen=True, slots=True)
class Clause:
    """Where a rule is written, and what it says in our words."""

    source: str
    says: str

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Period:
    """How long an answer may take, and by how much that may be extended."""

    clause: Clause
    months: int = 0
    days: int = 0
    extension_months: int = 0

    def after(self, start: datetime) -> datetime:
        return months_after(start, self.months) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when a request is answered. `extendable_to`: the latest, where the learner is told why before `due`."""

    due: datetime
    extendable_to: datetime | None
    clause: Clause


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a request may be refused. `code` is stable; `bases`: the lawful bases under which the ground exists."""

    code: str
    clause: Clause
    rights: frozenset[Right]
    bases: frozenset[Basis] = ANY_BASIS


@dataclass(frozen=True, slots=True)
class Hold:
    """While a request of one kind is open, another kind waits."""

    waiting: Right
    open: Right
    clause: Clause


@dataclass(frozen=True, slots=True)
class Majority:
    """When the rights are the learner's alone and a guardian's link ends."""

    clause: Clause
    age: int
    postsecondary: bool = False


@dataclass(frozen=True, slots=True)
class ChildConsent:
    """Who consents for a child. `lowest`–`highest`: the ages a policy may set; below it the learner's word is not
    enough. `offered_directly`: only for online services offered directly to a child.
    """

    clause: Clause
    lowest: int
    highest: int
    giver: Giver
    offered_directly: bool = False


@dataclass(frozen=True, slots=True)
class Demands:
    """What a policy has to state, each with the clause that wants it; None: not demanded."""

    controller: Clause | None = None
    retention: Clause | None = None
    notice: Clause | None = None
    separate_disclosure: Clause | None = None


@dataclass(frozen=True)
class Pack:
    """The rules of a place. `entitlements`: for each right the bases under which it exists; a right that is missing
    there may be refused for that reason (`no_right`).
    """

    name: str
    summary: str
    default_period: Period
    entitlements: Mapping[Right, tuple[frozenset[Basis], Clause]]
    no_right: Clause | None = None
    periods: Mapping[Right, Period] = field(default_factory=dict)
    grounds: tuple[Ground, ...] = ()
    holds: tuple[Hold, ...] = ()
    majority: Majority | None = None
    child_consent: ChildConsent | None = None
    demands: Demands = Demands()
    identity_check: Clause | None = None
    hearing: tuple[Clause, ...] = ()
    disclosures: Clause | None = None

    def deadline(self, right: Right | str, asked_at: datetime) -> Deadline:
        """By when a request made then is answered."""
        period = self.periods.get(Right(right), self.default_period)
        due = period.after(asked_at)
        longest = months_after(asked_at, period.months + period.extension_months) if period.extension_months else None
        return Deadline(due, longest, period.clause)

    def entitles(self, right: Right | str, bases: Collection[Basis]) -> Clause | None:
        """The clause that gives the right where the data are used on any of these bases; None: there is none."""
        found = self.entitlements.get(Right(right))
        return found[1] if found is not None and not found[0].isdisjoint(bases) else None

    def may_refuse(self, right: Right | str, bases: Collection[Basis]) -> tuple[Ground, ...]:
        """The grounds on which an officer may refuse; empty: it must be granted."""
        asked = Right(right)
        if self.no_right is not None and self.entitles(asked, bases) is None:
            return (Ground("no-such-right", self.no_right, frozenset({asked})), *self._grounds(asked, bases))
        return self._grounds(asked, bases)

    def ground(self, code: str, right: Right | str, bases: Collection[Basis]) -> Ground | None:
        """The ground of that code, if a request for this right may be refused on it."""
        return next((ground for ground in self.may_refuse(right, bases) if ground.code == code), None)

    def waits_for(self, right: Right | str, open_rights: Collection[Right | str]) -> Clause | None:
        """Why a request has to wait while those are open."""
        opened = {Right(one) for one in open_rights}
        return next((h.clause for h in self.holds if h.waiting == Right(right) and h.open in opened), None)

    def guardian_until(self, born: date | None, postsecondary_from: date | None = None) -> date | None:
        """The day from which a guardian acts no more; None: no day is known (the link is ended by hand)."""
        if self.majority is None:
            return None
        days = [birthday(born, self.majority.age)] if born else []
        if self.majority.postsecondary and postsecondary_from:
            days.append(postsecondary_from)
        return min(days, default=None)

    def consent_giver(self, age: int | None, agreed_age: int | None, *, offered_to_child: bool) -> Giver:
        """Whose consent counts. `age` None: unknown, taken for old enough. `agreed_age`: what the policy set."""
        rule = self.child_consent
        if rule is None or age is None or (rule.offered_directly and not offered_to_child):
            return "learner"
        return rule.giver if age < (agreed_age or rule.highest) else "learner"

    def clauses(self) -> tuple[Clause, ...]:
        """Every clause that the pack rests on, once each, in a fixed order."""
        demanded = (self.demands.controller, self.demands.retention, self.demands.notice)
        found = [
            self.default_period.clause,
            *(period.clause for period in self.periods.values()),
            *(clause for _, clause in self.entitlements.values()),
            self.no_right,
            *(ground.clause for ground in self.grounds),
            *(hold.clause for hold in self.holds),
            self.majority.clause if self.majority else None,
            self.child_consent.clause if self.child_consent else None,
            *demanded,
            self.demands.separate_disclosure,
            self.identity_check,
            *self.hearing,
            self.disclosures,
        ]
        return tuple(dict.fromkeys(clause for clause in found if clause is not None))

    def _grounds(self, right: Right, bases: Collection[Basis]) -> tuple[Ground, ...]:
        return tuple(g for g in self.grounds if right in g.rights and not g.bases.isdisjoint(bases))
