"""What a policy may say. Pure."""

from collections.abc import Iterator

from events.payloads import PURPOSES, Basis, Unknown

from privacy.packs import Clause, Pack, pack_named
from privacy.policies.schemas import PolicyBody, PurposeRule

Fault = tuple[str, str]
"""A pointer into the body, and what is wrong there."""

NEEDS_AN_ACT = (
    "consent is a clear affirmative act (GDPR 4(11), 7): where none is known the purpose must be `denied`, or rest on "
    "another basis"
)
NOT_FOR_AUTHORITIES = (
    "a public authority's tasks do not rest on legitimate interest (GDPR 6(1), last sentence), but on public_task"
)


def faults(body: PolicyBody) -> list[dict[str, str]]:
    """Where the policy is wrong and why: pointers into the body. Empty if it may stand."""
    return [{"pointer": pointer, "detail": detail} for pointer, detail in _faults(body)]


def _faults(body: PolicyBody) -> Iterator[Fault]:
    pack = pack_named(body.pack)
    for purpose in PURPOSES:
        if purpose not in body.purposes:
            yield f"/purposes/{purpose}", "this purpose is missing"
    authority = body.controller is not None and body.controller.public_authority
    for purpose, rule in body.purposes.items():
        yield from _of_basis(f"/purposes/{purpose}", rule, authority=authority)
        yield from _of_pack(f"/purposes/{purpose}", rule, pack)
        if pack.demands.notice and purpose not in PURPOSES and not rule.description:
            yield f"/purposes/{purpose}/description", _wanted(pack.demands.notice)
    yield from _of_tenant(body, pack)


def _of_basis(place: str, rule: PurposeRule, *, authority: bool) -> Iterator[Fault]:
    if rule.basis is Basis.consent and rule.unknown is Unknown.allowed:
        yield place, NEEDS_AN_ACT
    if rule.basis is Basis.legitimate_interest and authority:
        yield f"{place}/basis", NOT_FOR_AUTHORITIES


def _of_pack(place: str, rule: PurposeRule, pack: Pack) -> Iterator[Fault]:
    demands = pack.demands
    if demands.retention and rule.retention is None:
        yield f"{place}/retention", _wanted(demands.retention)
    mixed = rule.basis is Basis.consent and not rule.disclosure and any(r.third_party for r in rule.recipients)
    if demands.separate_disclosure and mixed:
        detail = f"{_wanted(demands.separate_disclosure)} Give them a purpose of their own, with `disclosure`"
        yield f"{place}/recipients", detail


def _of_tenant(body: PolicyBody, pack: Pack) -> Iterator[Fault]:
    named = body.controller
    if pack.demands.controller and (named is None or not (named.contact or "").strip()):
        yield "/controller/contact" if named else "/controller", _wanted(pack.demands.controller)
    rule = pack.child_consent
    if body.consent_age is None:
        return
    if rule is None:
        yield "/consent_age", f"the pack {pack.name} knows no age of consent"
    elif not rule.lowest <= body.consent_age <= rule.highest:
        yield "/consent_age", f"{rule.clause.source}: from {rule.lowest} to {rule.highest}"


def _wanted(clause: Clause) -> str:
    return f"{clause.source}: {clause.says}"
