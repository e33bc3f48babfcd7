"""What a policy may say. Pure."""

from collections.abc import Mapping

from events.payloads import PURPOSES, Basis, Unknown

from privacy.policies.schemas import PolicyBody, PurposeRule

NEEDS_AN_ACT = (
    "consent is a clear affirmative act (GDPR 4(11), 7): where none is known the purpose must be `denied`, or rest on "
    "another basis"
)


def faults(body: PolicyBody) -> list[dict[str, str]]:
    """Where the policy is wrong and why: pointers into the body. Empty if it may stand."""
    missing = [_fault(purpose, "this purpose is missing") for purpose in PURPOSES if purpose not in body.purposes]
    return missing + [_fault(purpose, NEEDS_AN_ACT) for purpose in _consent_presumed(body.purposes)]


def _consent_presumed(purposes: Mapping[str, PurposeRule]) -> list[str]:
    return [
        purpose for purpose, rule in purposes.items() if rule.basis is Basis.consent and rule.unknown is Unknown.allowed
    ]


def _fault(purpose: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/purposes/{purpose}", "detail": detail}
